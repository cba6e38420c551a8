//! The name under which Bedrock is sent the requests of a model: its own id, or that of an inference profile that exists.

use super::region::{GLOBAL, geographies, may_be_global};
use super::{Model, ModelEntry, ModelTable};
use crate::ids::Arn;
use crate::model::ModelId;
use crate::problem::Problem;

/// Model that a request names, with what decides under which name Bedrock is sent its requests.
#[derive(Debug, Clone, Copy)]
pub struct ModelWish<'a> {
    /// Field that names the model.
    pub field: &'a str,
    /// Value of the field.
    pub model_id: &'a str,
    /// Region that requests are sent to.
    pub region: &'a str,
    /// ARN of the inference profile to use.
    pub profile_arn: Option<&'a str>,
    /// Models that are invoked on demand through a profile, in place of the table's list.
    pub required_models: Option<&'a [String]>,
    /// If true, rows may be sent to any commercial region, through a global profile.
    pub allow_global: bool,
    /// If true, rows may be sent in batch.
    pub in_batch: bool,
    /// If true, rows may be sent on demand.
    pub on_demand: bool,
}

/// Model under the names that Bedrock accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedModel {
    /// Model of batch jobs.
    pub batch: Model,
    /// Model of requests on demand.
    pub on_demand: Model,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Names of a model: in batch and on demand.
struct Names {
    batch: String,
    on_demand: String,
    warning: Option<String>,
}

impl Names {
    fn both(name: &str) -> Self {
        Self { batch: name.to_owned(), on_demand: name.to_owned(), warning: None }
    }
}

impl ModelTable {
    /// Returns the model of a wish, under names that exist in its region.
    ///
    /// # Errors
    /// Returns a problem if the model is not in the table, its id is not complete, it has reached its end of life, or no name
    /// of it can be used in the region.
    pub fn named(&self, wish: &ModelWish<'_>) -> Result<NamedModel, Problem> {
        let (id, row) = self.look_up(wish.field, wish.model_id)?;
        check_is_complete(wish, &id, row)?;
        let mut warnings = Vec::from_iter(self.check_life(wish, &id, row)?);
        let names = self.names(wish, &id, row)?;
        warnings.extend(names.warning);
        let model = |name: String| {
            let parsed = ModelId::parse(&name).unwrap_or_else(|_| id.clone());
            self.model(row, &parsed, name)
        };
        Ok(NamedModel { batch: model(names.batch), on_demand: model(names.on_demand), warnings })
    }

    fn names(&self, wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry) -> Result<Names, Problem> {
        check_region_of_arn(wish.field, &id.full, wish.region)?;
        if let Some(arn) = wish.profile_arn {
            check_region_of_arn("inference_profile_arn", arn, wish.region)?;
            let batch = if id.profile.is_none() && !row.takes_batch_by_id(wish.region) { arn } else { &id.full };
            return Ok(Names { batch: batch.to_owned(), on_demand: arn.to_owned(), warning: None });
        }
        if let Some(group) = &id.profile {
            let is_usable = self.is_usable(row, &id.base, group, wish.region);
            return if is_usable {
                Ok(Names::both(&id.full))
            } else {
                Err(self.unusable_profile(wish, id, row, group))
            };
        }
        self.names_of_bare_id(wish, id, row)
    }

    fn names_of_bare_id(&self, wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry) -> Result<Names, Problem> {
        let profile = self.profile_for(row, &id.base, wish.region, wish.allow_global);
        let by_id = row.takes_batch_by_id(wish.region);
        let needs_profile = self.needs_profile_on_demand(wish, id, row);
        let batch = if by_id { Some(id.full.clone()) } else { profile.clone() };
        let on_demand = match (&profile, needs_profile) {
            (None, true) => None,
            // What goes through a profile in batch goes through the same one on demand.
            (Some(profile), _) if needs_profile || !by_id => Some(profile.clone()),
            _ => Some(id.full.clone()),
        };
        match (batch, on_demand) {
            (Some(batch), Some(on_demand)) => Ok(Names { batch, on_demand, warning: None }),
            (Some(batch), None) if !wish.on_demand => Ok(Names::both(&batch)),
            (None, Some(on_demand)) if wish.on_demand => {
                let text = format!("Bedrock takes no batch of `{}` in {}: its rows go on demand", id.full, wish.region);
                Ok(Names { warning: wish.in_batch.then_some(text), ..Names::both(&on_demand) })
            }
            _ => Err(self.no_profile(wish, id, row)),
        }
    }

    /// Returns true if requests on demand need an inference profile.
    fn needs_profile_on_demand(&self, wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry) -> bool {
        let listed = |list: &[String]| list.iter().any(|start| id.base.starts_with(start.as_str()));
        if let Some(list) = wish.required_models {
            return listed(list);
        }
        let of_aws = self.aws.models.get(&id.base).and_then(|offered| offered.as_ref()?.on_demand);
        of_aws.map_or_else(|| row.profile_only || listed(&self.inference_profile_required_models), |by_id| !by_id)
    }

    /// Returns true if requests in `region` can use the profile of `group`, as far as that is known.
    fn is_usable(&self, row: &ModelEntry, base: &str, group: &str, region: &str) -> bool {
        if let Some(listed) = &self.aws.profiles {
            return listed.contains(&format!("{group}.{base}"));
        }
        let is_of_region = geographies(region).contains(&group) || (group == GLOBAL && may_be_global(region));
        is_of_region && row.profiles.as_ref().is_none_or(|groups| groups.iter().any(|known| known == group))
    }

    fn unusable_profile(&self, wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry, group: &str) -> Problem {
        let region = wish.region;
        let is_of_region = geographies(region).contains(&group) || group == GLOBAL;
        let rule = if is_of_region {
            format!("Bedrock has no such inference profile in {region}")
        } else {
            format!("is an inference profile of `{group}`, which requests in {region} cannot use")
        };
        let other = self.profile_for(row, &id.base, region, true);
        let remedy = match other {
            Some(other) => format!("use `{other}`"),
            None if row.takes_batch_by_id(region) => format!("use `{}`", id.base),
            None => format!("choose a model that Bedrock offers in {region}: `bedrock-batch models` lists them"),
        };
        Problem::new(wish.field, wish.model_id, rule).remedy(remedy)
    }

    /// Returns the problem of a model that needs an inference profile, of which the region has none.
    fn no_profile(&self, wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry) -> Problem {
        let region = wish.region;
        let remedy = match self.profile_for(row, &id.base, region, true) {
            Some(global) => format!(
                "set allow_global to true to let any region answer, by `{global}`, or name a model with a profile of \
                 your geography"
            ),
            None if row.profiles.is_none() => {
                "name the profile of your geography as model_id, or set inference_profile_arn".to_owned()
            }
            None => format!("choose a model that Bedrock offers in {region}: `bedrock-batch models` lists them"),
        };
        let rule = if row.takes_batch_by_id(region) || !wish.in_batch {
            format!(
                "Bedrock takes this model on demand only through an inference profile, and none is known in {region}"
            )
        } else if row.profile_only {
            format!(
                "Bedrock takes this model only through an inference profile, and none of the geography of {region} is known"
            )
        } else {
            format!("Bedrock takes no batch of this model in {region}")
        };
        let remedy = if row.profile_only || wish.on_demand {
            remedy
        } else {
            format!("{remedy}, or use processing_mode `auto`")
        };
        Problem::new(wish.field, wish.model_id, rule).remedy(remedy)
    }
}

/// Checks that an id is not only the beginning of one.
fn check_is_complete(wish: &ModelWish<'_>, id: &ModelId, row: &ModelEntry) -> Result<(), Problem> {
    if row.ids.contains(&id.base) {
        return Ok(());
    }
    let Some(full) = row.ids.iter().find(|full| full.starts_with(&id.base)) else { return Ok(()) };
    let meant = id.full.strip_suffix(&id.base).map_or_else(|| full.clone(), |start| format!("{start}{full}"));
    let rule = "is only the beginning of a model's id";
    Err(Problem::new(wish.field, wish.model_id, rule).remedy(format!("did you mean `{meant}`?")))
}

/// Checks that an ARN is of the region that requests are sent to.
fn check_region_of_arn(field: &str, text: &str, region: &str) -> Result<(), Problem> {
    let Some(arn) = Arn::parse(text).filter(|arn| !arn.region.is_empty() && arn.region != region) else {
        return Ok(());
    };
    let rule = format!("is of the region {}, but requests are sent in {region}", arn.region);
    Err(Problem::new(field, text, rule).remedy(format!("name one of {region}, or the id without its ARN")))
}
