//! The complete ids of the table, for a reader who looks for one.

use super::{ModelEntry, ModelTable};

/// Model of the table.
#[derive(Debug, Clone, Copy)]
pub struct ListedModel<'a> {
    /// Complete id.
    pub id: &'a str,
    /// Regions in which Bedrock takes it in batch by this id; `None` if all, or none with `profile_only`.
    pub batch_regions: Option<&'a [String]>,
    /// If true, Bedrock takes it in batch only through an inference profile.
    pub profile_only: bool,
    /// Groups of its inference profiles; `None` if they are not known.
    pub profiles: Option<&'a [String]>,
    /// Date since which it is legacy.
    pub legacy_since: Option<&'a str>,
    /// Date of its end of life.
    pub end_of_life: Option<&'a str>,
    /// Regions in which it lives on.
    pub alive_in: &'a [String],
    /// Complete id of the active model that is nearest to it.
    pub successor: Option<&'a str>,
}

impl ModelTable {
    /// Returns the complete ids of the table, in alphabetical order.
    pub fn listed(&self) -> Vec<ListedModel<'_>> {
        let mut models: Vec<ListedModel<'_>> =
            self.model.iter().flat_map(|row| row.ids.iter().map(move |id| listed(row, id))).collect();
        models.sort_unstable_by_key(|model| model.id);
        models
    }
}

fn listed<'a>(row: &'a ModelEntry, id: &'a str) -> ListedModel<'a> {
    ListedModel {
        id,
        batch_regions: row.batch_regions.as_deref(),
        profile_only: row.profile_only,
        profiles: row.profiles.as_deref(),
        legacy_since: row.legacy_since.as_deref(),
        end_of_life: row.end_of_life.as_deref(),
        alive_in: &row.alive_in,
        successor: row.successor.as_deref(),
    }
}
