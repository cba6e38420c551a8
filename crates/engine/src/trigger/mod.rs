//! Trigger: an upload under `trigger/` starts an execution, once, however often it is told of.

mod configs;
mod start;
mod uploaded;

pub use configs::{Configs, load_configs};

use crate::error::EngineError;
use crate::mailer::Mailer;
use crate::moments;
use crate::objects::put_json;
use bedrock_batch_domain::email::NotStarted;
use bedrock_batch_domain::error_name::INVALID_INPUT;
use bedrock_batch_domain::problem::Problems;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::trigger::{Meaning, Upload, error_key, meaning};
use serde::Serialize;

/// An object that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// Its bucket.
    pub bucket: String,
    /// Its upload.
    pub upload: Upload,
}

/// Starts executions for uploads.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Step Functions.
    pub step_functions: aws_sdk_sfn::Client,
    /// The bucket of everything.
    pub bucket: String,
    /// The batch orchestrator.
    pub batch_orchestrator: String,
    /// The pipeline orchestrator.
    pub pipeline_orchestrator: String,
    /// Where emails go.
    pub mailer: Mailer,
    /// The configurations that are deployed here.
    pub configs: Configs,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Triggered {
    /// It started this execution, now or when it was told of before.
    Started(String),
    /// Nothing was to be done, and why.
    Ignored(&'static str),
    /// It cannot start anything: so many things are wrong. They were written down and sent.
    Refused(usize),
}

/// What is written beside an upload that started nothing.
#[derive(Debug, Serialize)]
struct ErrorFile<'a> {
    key: &'a str,
    error: &'static str,
    problems: Vec<String>,
    time: String,
}

impl Trigger {
    /// Does what an upload asks for.
    ///
    /// # Errors
    /// As AWS fails. An upload that is wrong is none: it is told of, and telling again would not mend it.
    pub async fn handle(&self, created: Option<ObjectCreated>) -> Result<Triggered, EngineError> {
        let ours = created.filter(|created| created.bucket == self.bucket);
        let Some(ObjectCreated { upload, .. }) = ours else {
            return Ok(ignored("it is no upload into the stack's bucket"));
        };
        let meaning = meaning(&upload.key);
        if matches!(meaning, Meaning::Input | Meaning::InputOf { .. }) {
            if let Some(execution) = self.started_before(&upload).await? {
                return Ok(Triggered::Started(execution));
            }
            if self.was_overwritten(&upload).await? {
                return Ok(ignored("it was overwritten since: that upload is told of too"));
            }
        }
        let asked = match meaning {
            Meaning::Nothing(reason) => return Ok(ignored(reason)),
            Meaning::Wrong(problem) => Err(problem.into()),
            Meaning::Input => self.start_uploaded(&upload).await,
            Meaning::InputOf { config } => self.start_config(&upload, &config).await,
        };
        match asked {
            Ok(execution) => {
                tracing::info!(execution, "an upload has its execution");
                Ok(Triggered::Started(execution))
            }
            Err(EngineError::InvalidInput(problems)) => self.refuse(&upload, &problems).await,
            Err(error) => Err(error),
        }
    }

    /// Writes down what is wrong, and sends it.
    async fn refuse(&self, upload: &Upload, problems: &Problems) -> Result<Triggered, EngineError> {
        let problems = problems.as_slice();
        let error_key = error_key(&upload.key);
        let file = ErrorFile {
            key: &upload.key,
            error: INVALID_INPUT,
            problems: problems.iter().map(ToString::to_string).collect(),
            time: moments::now_as_text(),
        };
        put_json(&self.s3, &self.bucket, &error_key, &file).await?;
        let email = NotStarted {
            upload: S3Uri::new(&self.bucket, &upload.key),
            error_file: S3Uri::new(&self.bucket, error_key),
            problems: problems.to_vec(),
        };
        self.mailer.send(&email.email()).await?;
        tracing::warn!(problems = problems.len(), "an upload started nothing");
        Ok(Triggered::Refused(problems.len()))
    }
}

fn ignored(reason: &'static str) -> Triggered {
    tracing::info!(reason, ignored = 1, "an upload was ignored");
    Triggered::Ignored(reason)
}
