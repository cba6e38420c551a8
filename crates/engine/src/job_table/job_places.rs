//! The items with the places of batch jobs, one per model. Each is read and replaced as a whole.

use super::JobTable;
use super::attributes::Attributes;
use super::update::{number, text};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::{JOB_PLACES_PREFIX, PARTITION_KEY};
use bedrock_batch_domain::job::JobPlaces;
use bedrock_batch_domain::model::ModelId;
use std::time::Duration;

/// Maximum number of attempts to change an item while other invocations do so too: a hundred jobs may begin at the same moment.
const MAX_ATTEMPTS: u32 = 40;
/// Maximum pause before another attempt.
const MAX_PAUSE: Duration = Duration::from_millis(200);

impl JobTable {
    /// Changes the places of the jobs of a model, and returns the result of `change`, which may be called several times. What it
    /// leaves as it is, is not written.
    ///
    /// # Errors
    /// Returns `Throttled` if others change the item all the time, and an error if a DynamoDB request fails or the item is corrupt.
    pub async fn change_job_places<T>(
        &self,
        model_id: &str,
        mut change: impl FnMut(&mut JobPlaces) -> T,
    ) -> Result<T, EngineError> {
        let key = key_of(model_id);
        for _ in 0..MAX_ATTEMPTS {
            let (read, version) = self.job_places(&key).await?;
            let mut places = read.clone();
            let result = change(&mut places);
            if places == read || self.put_job_places(&key, &places, version).await? {
                return Ok(result);
            }
            tokio::time::sleep(MAX_PAUSE.mul_f64(fastrand::f64())).await;
        }
        Err(EngineError::throttled(format!("the item `{key}` of the job table changed {MAX_ATTEMPTS} times in a row")))
    }

    async fn job_places(&self, key: &str) -> Result<(JobPlaces, u64), EngineError> {
        let get = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(key));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| {
            EngineError::from_aws(format!("cannot read the item `{key}` of the table {}", self.table), &error)
        })?;
        let Some(item) = got.item() else { return Ok(<_>::default()) };
        let attributes = Attributes::of(item)?;
        let places = attributes.json("places")?.unwrap_or_default();
        Ok((places, attributes.number("version")?.unwrap_or_default()))
    }

    /// Stores places that were changed, unless others were since they were read; returns true if they are stored.
    async fn put_job_places(&self, key: &str, places: &JobPlaces, version: u64) -> Result<bool, EngineError> {
        let places = serde_json::to_string(places)
            .map_err(|error| EngineError::internal("cannot write the places of jobs as JSON").caused_by(error))?;
        let values = [(":places", text(&places)), (":read", number(version)), (":version", number(version + 1))];
        let condition = "attribute_not_exists(job_name) OR version = :read";
        self.change(key, "SET places = :places, version = :version", condition, &values).await
    }
}

/// Returns the key of the item of a model. Its profiles share one: whether their quotas are separate is not documented, and to
/// take them for one is safe.
fn key_of(model_id: &str) -> String {
    let model = ModelId::parse(model_id).map_or_else(|_| model_id.to_owned(), |parsed| parsed.base);
    format!("{JOB_PLACES_PREFIX}{model}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_of_a_model_share_its_places() {
        let of_model = key_of("anthropic.claude-haiku-4-5-20251001-v1:0");
        assert_eq!(of_model, "job_places/anthropic.claude-haiku-4-5-20251001-v1:0");
        assert_eq!(key_of("us.anthropic.claude-haiku-4-5-20251001-v1:0"), of_model);
        assert_eq!(key_of("global.anthropic.claude-haiku-4-5-20251001-v1:0"), of_model);
        let arn = "arn:aws:bedrock:us-east-1:1:custom-model/x/y";
        assert_eq!(key_of(arn), format!("job_places/{arn}"));
    }
}
