//! Start of the execution for an upload.

use super::Trigger;
use crate::config_object::{CONFIG_S3_ETAG, CONFIG_S3_URI};
use crate::error::EngineError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::input::{deleted, is_same_etag, overwritten};
use bedrock_batch_domain::problem::{Problem, listed, nearest};
use bedrock_batch_domain::trigger::{MAX_INPUT_BYTES, Upload, execution_name, is_pipeline, with_input};
use serde_json::{Value, json};

impl Trigger {
    /// Starts an execution with the upload as its execution input, if there is a slot for it.
    pub(super) async fn start_uploaded(&self, upload: &Upload) -> Result<Option<String>, EngineError> {
        let mut input = self.read(upload).await?;
        self.caps.apply(&mut input);
        let text = Value::Object(input.clone()).to_string();
        if text.len() <= MAX_INPUT_BYTES {
            return self.start(upload, is_pipeline(&input), text).await;
        }
        let uri = self.bucket.uri(&upload.key).to_string();
        let mut reference = json!({ CONFIG_S3_URI: uri });
        if !upload.etag.is_empty() {
            reference[CONFIG_S3_ETAG] = json!(upload.etag);
        }
        if let Some(reference) = reference.as_object_mut() {
            // They lower the limits in the object when it is read.
            self.caps.apply(reference);
        }
        self.start(upload, is_pipeline(&input), reference.to_string()).await
    }

    /// Starts a deployed configuration with the upload as its input, if there is a slot for it.
    pub(super) async fn start_config(&self, upload: &Upload, config: &str) -> Result<Option<String>, EngineError> {
        let known = self.configs.get(config).ok_or_else(|| unknown(config, &self.configs))?;
        let uri = self.bucket.uri(&upload.key).to_string();
        let mut input = with_input(known, &uri, &upload.etag);
        self.caps.apply(&mut input);
        self.start(upload, is_pipeline(&input), Value::Object(input).to_string()).await
    }

    /// Returns the execution that an earlier delivery of the event started, if there is one. It is not started again, even
    /// if the object has changed since.
    pub(super) async fn started_before(&self, upload: &Upload) -> Result<Option<String>, EngineError> {
        let name = execution_name(upload);
        for machine in [&self.pipeline_orchestrator, &self.batch_orchestrator] {
            let execution = machine.execution(&name)?;
            match self.step_functions.describe_execution().execution_arn(execution.as_str()).send().await {
                Ok(_) => {
                    tracing::info!(execution = name, "upload_execution_already_started");
                    return Ok(Some(name));
                }
                Err(error) if error.code() == Some("ExecutionDoesNotExist") => {}
                Err(error) => return Err(EngineError::from_aws(format!("cannot describe {name}"), &error)),
            }
        }
        Ok(None)
    }

    /// Returns the problem of an object that is no longer the one that the event describes.
    pub(super) async fn change_since(&self, upload: &Upload) -> Result<Option<Problem>, EngineError> {
        let uri = self.bucket.uri(&upload.key);
        Ok(match self.bucket.head(&upload.key).await? {
            None => Some(deleted("key", &uri)),
            Some(found) if !upload.etag.is_empty() && !is_same_etag(&found.etag, &upload.etag) => {
                Some(overwritten("key", &uri))
            }
            Some(_) => None,
        })
    }

    /// Starts the execution, unless an earlier delivery of the event has, and returns its name. Returns `None` if the upload has
    /// to wait.
    async fn start(&self, upload: &Upload, pipeline: bool, input: String) -> Result<Option<String>, EngineError> {
        let machine = if pipeline { &self.pipeline_orchestrator } else { &self.batch_orchestrator };
        let name = execution_name(upload);
        let execution = machine.execution(&name)?;
        if !self.take_slot(&execution).await? {
            return Ok(None);
        }
        let start = self.step_functions.start_execution().state_machine_arn(machine.as_str()).name(&name).input(input);
        match start.send().await {
            Ok(_) => Ok(Some(name)),
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => {
                tracing::info!(execution = name, "upload_execution_already_started");
                Ok(Some(name))
            }
            Err(error) => {
                let failed = EngineError::from_aws(format!("cannot start {name}"), &error);
                // After another error, the execution may have started.
                if !failed.is_transient() {
                    self.release_slot(&execution).await?;
                }
                Err(failed)
            }
        }
    }
}

fn unknown(config: &str, configs: &super::Configs) -> Problem {
    let names: Vec<&str> = configs.keys().map(String::as_str).collect();
    let close = nearest(config, names.iter().copied());
    let close = if close.starts_with("did you mean") { format!("{close} ") } else { String::new() };
    let rule = format!("a configuration of this name does not exist; {close}known: {}", listed(&names));
    Problem::new("configuration", config, rule)
        .remedy("upload to trigger/<configuration>/<file>, or deploy pipeline-configs/<configuration>.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    #[test]
    fn an_unknown_configuration_is_reported_with_the_nearest_and_all_known_ones() {
        let configs = ["clothing-analysis", "tickets"].map(|name| (name.to_owned(), Map::new())).into();
        let text = unknown("clothing-anlysis", &configs).to_string();
        let expected = "configuration is `clothing-anlysis`: a configuration of this name does not exist; did you mean \
            `clothing-analysis`? known: `clothing-analysis`, `tickets`; upload to";
        assert!(text.starts_with(expected), "{text}");
        let text = unknown("zzz", &configs).to_string();
        assert!(text.contains("of this name does not exist; known: `clothing-analysis`, `tickets`"), "{text}");
    }
}
