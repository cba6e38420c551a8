//! The life of models: legacy models are warned of, and those that have reached their end are refused.

use super::region::{GLOBAL, may_be_global};
use super::{ModelEntry, ModelTable, ModelWish};
use crate::model::ModelId;
use crate::problem::Problem;

impl ModelTable {
    /// Checks that the model of a wish is alive. Returns a warning if it is legacy. What Bedrock says about the model in this
    /// region overrides the table, which judges by date alone, and only if the date is known.
    pub(super) fn check_life(
        &self,
        wish: &ModelWish<'_>,
        id: &ModelId,
        row: &ModelEntry,
    ) -> Result<Option<String>, Problem> {
        let of_table = row.end_of_life.as_deref().filter(|_| !row.alive_in.iter().any(|region| region == wish.region));
        let has_passed = |date: &str| self.today.as_deref().is_some_and(|today| date <= today);
        match self.aws.models.get(&id.base) {
            Some(Some(offered)) => {
                // An active model may have a date before which it does not end: "no sooner than".
                let end = offered.end_of_life.as_deref().filter(|_| offered.is_legacy);
                match end.filter(|end| has_passed(end)) {
                    Some(end) => Err(self.dead(wish, row, end)),
                    None if offered.is_legacy => Ok(Some(self.legacy(wish, row, end.or(of_table)))),
                    None => Ok(None),
                }
            }
            // A region that only sends requests to others may not list the model itself.
            Some(None) if self.has_listed_profile(&id.base) => Ok(None),
            Some(None) => Err(match of_table.filter(|end| has_passed(end)) {
                Some(end) => self.dead(wish, row, end),
                None => {
                    let rule = format!("Bedrock does not offer this model in {}", wish.region);
                    Problem::new(wish.field, wish.model_id, rule).remedy(self.use_instead(wish, row))
                }
            }),
            None => match of_table.filter(|end| has_passed(end)) {
                Some(end) => Err(self.dead(wish, row, end)),
                None if row.legacy_since.as_deref().is_some_and(has_passed) => {
                    Ok(Some(self.legacy(wish, row, of_table)))
                }
                None => Ok(None),
            },
        }
    }

    fn dead(&self, wish: &ModelWish<'_>, row: &ModelEntry, end: &str) -> Problem {
        let rule = format!("this model reached its end of life at Bedrock on {end}");
        Problem::new(wish.field, wish.model_id, rule).remedy(self.use_instead(wish, row))
    }

    fn legacy(&self, wish: &ModelWish<'_>, row: &ModelEntry, end: Option<&str>) -> String {
        let until = end.map_or_else(String::new, |end| format!(" until {end}"));
        format!(
            "model `{}` is legacy: Bedrock offers it{until}, and not to accounts that have not used it lately; {}",
            wish.model_id,
            self.use_instead(wish, row)
        )
    }

    /// Returns a remedy: the model that is nearest to that of `row`, under the name that requests in this region need.
    fn use_instead(&self, wish: &ModelWish<'_>, row: &ModelEntry) -> String {
        let Some(base) = row.successor.as_deref() else {
            return "choose an active model: `bedrock-batch models` lists them".to_owned();
        };
        let near = self.row_of(base).map(|near| {
            if near.takes_batch_by_id(wish.region) {
                return base.to_owned();
            }
            self.profile_for(near, base, wish.region, true).unwrap_or_else(|| base.to_owned())
        });
        format!("use `{}`", near.unwrap_or_else(|| base.to_owned()))
    }

    /// Returns true if Bedrock has listed an inference profile of this model, other than a global one where there is none.
    fn has_listed_profile(&self, base: &str) -> bool {
        let listed = self.aws.profiles.iter().flatten();
        listed.filter_map(|id| id.split_once('.')).any(|(_, of)| of == base)
    }

    /// Returns the inference profile of a model that requests in a region can use: that of the smallest geography, else the
    /// global one if that is allowed. None is invented: it must be listed by Bedrock or, without its list, in the table.
    pub(super) fn profile_for(&self, row: &ModelEntry, base: &str, region: &str, allow_global: bool) -> Option<String> {
        let own = super::region::geographies(region).iter().copied();
        let global = [GLOBAL].into_iter().filter(|_| allow_global && may_be_global(region));
        let named = |group: &str| format!("{group}.{base}");
        if let Some(listed) = &self.aws.profiles {
            // Bedrock lists only profiles that the region can use, also such as are newer than this program.
            let others =
                listed.iter().filter_map(|id| id.split_once('.')).filter(|(group, of)| *of == base && *group != GLOBAL);
            let groups = own.chain(others.map(|(group, _)| group)).chain(global);
            return groups.map(named).find(|id| listed.contains(id));
        }
        let groups = row.profiles.as_ref()?;
        own.chain(global).find(|group| groups.iter().any(|known| known == group)).map(named)
    }
}
