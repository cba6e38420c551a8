//! Request as a plan stores it, and its comparison with that of a later input.

use super::{PromptConfig, RunRequest};
use crate::short_hash::digest;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::mem::take;

/// Field of a stored request for the digest of the input's prompts.
const PROMPTS_DIGEST: &str = "prompts_digest";
/// Name under which users know it.
const PROMPTS: &str = "prompts";

impl RunRequest {
    /// Returns the request as a plan stores it: with a digest in place of the prompts that the input contains. The plan has
    /// those that rows are sent with, and to recognize the input, the digest of all is enough.
    ///
    /// # Errors
    /// Returns an error if a prompt cannot be written as JSON, which does not happen.
    pub fn for_plan(mut self) -> serde_json::Result<Self> {
        let library = take(&mut self.prompts);
        let single = match &mut self.prompt_config {
            PromptConfig::Inline { prompt } => prompt.take(),
            _ => None,
        };
        if single.is_some() || !library.is_empty() {
            let texts = [serde_json::to_string(&library)?, serde_json::to_string(&single)?];
            self.prompts_digest = Some(digest(&texts.each_ref().map(String::as_str)));
        }
        Ok(self)
    }

    /// Returns the names of the fields in which the request differs from one that a plan stores, also a plan of a version that
    /// stored the prompts themselves.
    ///
    /// # Errors
    /// Returns an error if a request cannot be written as JSON, which does not happen.
    pub fn differences(&self, stored: &Self) -> serde_json::Result<Vec<String>> {
        let fields = |request: &Self| -> serde_json::Result<Map<String, Value>> {
            let written = serde_json::to_value(request.clone().for_plan()?)?;
            Ok(if let Value::Object(fields) = written { fields } else { Map::new() })
        };
        let (given, stored) = (fields(self)?, fields(stored)?);
        let names: BTreeSet<&String> = given.keys().chain(stored.keys()).collect();
        let differing = names.into_iter().filter(|name| given.get(*name) != stored.get(*name));
        Ok(differing.map(|name| if name == PROMPTS_DIGEST { PROMPTS.to_owned() } else { name.clone() }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::StackLimits;
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const STACK: StackLimits =
        StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };

    /// Returns the request of an input with these fields.
    fn request(more: &Value) -> RunRequest {
        let mut input = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems, []);
        request.unwrap()
    }

    fn prompt(template: &str) -> Value {
        json!({"description": "d", "template": template, "output_schema": {"type": "json", "fields": [["z", "$.z"], ["a", "$.a"]]}})
    }

    fn with_library(template: &str) -> Value {
        json!({"prompt_id": "mine", "prompts": {"mine": prompt(template), "other": prompt("x")}})
    }

    #[rstest]
    #[case::prompts(with_library("a secret"))]
    #[case::prompt(json!({"prompt": prompt("a secret")}))]
    fn a_plan_stores_the_prompts_of_its_input_once(#[case] input: Value) {
        let stored = request(&input).for_plan().unwrap();
        let written = serde_json::to_string(&stored).unwrap();
        assert!(!written.contains("a secret") && written.contains("\"prompts_digest\":\""), "{written}");
        assert_eq!(serde_json::from_str::<RunRequest>(&written).unwrap(), stored);
        assert_eq!(stored.clone().for_plan().unwrap(), stored);
        let plain = request(&json!({"prompt_id": "p"}));
        assert_eq!(plain.clone().for_plan().unwrap(), plain, "without prompts, nothing changes");
    }

    #[rstest]
    #[case(with_library("t"), with_library("t"), &[])]
    #[case(with_library("t"), with_library("T"), &["prompts"])]
    #[case(with_library("t"), json!({"prompt_id": "mine"}), &["prompts"])]
    #[case(json!({"prompt_id": "mine"}), with_library("t"), &["prompts"])]
    #[case(json!({"prompt": prompt("t")}), json!({"prompt": prompt("t")}), &[])]
    #[case(json!({"prompt": prompt("t")}), json!({"prompt": prompt("T")}), &["prompts"])]
    #[case(json!({"prompt": prompt("t")}), json!({"prompt_id": "p"}), &["prompt_config", "prompts"])]
    #[case(json!({"presigned_url_expiry_days": 3}), json!({}), &["presigned_url_expiry_days"])]
    #[case(json!({}), json!({"presigned_url_expiry_days": 3}), &["presigned_url_expiry_days"])]
    #[case(json!({}), json!({"max_num_jobs": 3, "output_formats": ["csv"]}), &["max_num_jobs", "output_formats"])]
    fn an_input_differs_from_a_stored_one_in_fields_of_either(
        #[case] first: Value,
        #[case] later: Value,
        #[case] expected: &[&str],
    ) {
        let (first, later) = (request(&first), request(&later));
        assert_eq!(later.differences(&first.clone().for_plan().unwrap()).unwrap(), expected);
        assert_eq!(later.differences(&first).unwrap(), expected, "as stored by earlier versions");
    }
}
