//! The command line. Every option can also be set in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Amazon Bedrock's batch inference and runtime, on this machine.
///
/// S3 and EventBridge are reached through `AWS_ENDPOINT_URL` (or `AWS_ENDPOINT_URL_S3` and
/// `AWS_ENDPOINT_URL_EVENTBRIDGE`), which must be set: the simulator never works on a real AWS account.
#[derive(Debug, Clone, Parser)]
#[command(name = "bedrock-simulator", version)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "BEDROCK_SIMULATOR_LISTEN", default_value = "127.0.0.1:4567")]
    pub listen: SocketAddr,

    /// Write the port here once the simulator listens
    #[arg(long, env = "BEDROCK_SIMULATOR_PORT_FILE")]
    pub port_file: Option<PathBuf>,

    /// Source of answers
    #[arg(long, env = "BEDROCK_SIMULATOR_BACKEND", value_enum, default_value = "fake")]
    pub backend: BackendName,

    /// Recorded Bedrock output for `--backend replay`: a JSONL file, or a folder of them
    #[arg(long, env = "BEDROCK_SIMULATOR_RECORDINGS", required_if_eq("backend", "replay"))]
    pub recordings: Option<PathBuf>,

    /// Reaction of `--backend replay` to input that was not recorded
    #[arg(long, env = "BEDROCK_SIMULATOR_REPLAY_MISS", value_enum, default_value = "fake")]
    pub replay_miss: OnMiss,

    /// Milliseconds a job stays in each status
    #[arg(long, env = "BEDROCK_SIMULATOR_STEP_MS", default_value_t = 150)]
    pub step_ms: u64,

    /// Source of the events; EventBridge accepts `aws.bedrock` from AWS alone
    #[arg(long, env = "BEDROCK_SIMULATOR_EVENT_SOURCE", default_value = "local.bedrock")]
    pub event_source: String,

    /// Region in the ARNs
    #[arg(long, env = "BEDROCK_SIMULATOR_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Account in the ARNs
    #[arg(long, env = "BEDROCK_SIMULATOR_ACCOUNT", default_value = "000000000000")]
    pub account: String,

    /// More models: a JSON object of model id to `single`, `profile` or `none` (its batch support)
    #[arg(long, env = "BEDROCK_SIMULATOR_MODELS")]
    pub models: Option<PathBuf>,

    /// Beginnings of the ids of models that live on, although Bedrock has ended them
    #[arg(long, env = "BEDROCK_SIMULATOR_ALIVE", value_delimiter = ',')]
    pub alive: Vec<String>,

    /// Quotas of batch jobs of models, in place of 100: `amazon.nova-micro-v1:0=3`
    #[arg(long = "job-quota", env = "BEDROCK_SIMULATOR_JOB_QUOTAS", value_delimiter = ',', value_parser = job_quota)]
    pub job_quotas: Vec<(String, u32)>,

    /// Behaviour at start: the same JSON that `PUT /_simulator/behaviour` takes
    #[arg(long, env = "BEDROCK_SIMULATOR_BEHAVIOUR", default_value = "{}")]
    pub behaviour: String,
}

fn job_quota(text: &str) -> Result<(String, u32), String> {
    let (model, quota) = text.rsplit_once('=').ok_or("must be the id of a model, `=` and a number")?;
    Ok((model.to_owned(), quota.parse().map_err(|_| format!("`{quota}` is not a number of jobs"))?))
}

/// Source of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// Made up from the input, the same each time
    Fake,
    /// Looked up in recorded Bedrock output
    Replay,
}

/// Reaction of the replay backend to input that was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnMiss {
    /// Answer as the fake backend
    Fake,
    /// Refuse the record
    Error,
}
