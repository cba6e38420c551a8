//! The payloads that the state machines hand to functions, and the fields of results that they read.
//!
//! Their types are in `crates/engine` and `lambdas/preprocess`, where tests hold each payload and each result to its type.

use super::functions;

/// The event that a state hands to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Its name in the contract.
    pub name: &'static str,
    /// The function.
    pub function: &'static str,
    /// The value of the field `action`, where the function has several.
    pub action: Option<&'static str>,
    /// Its other fields.
    pub fields: &'static [&'static str],
    /// When it is sent.
    pub doc: &'static str,
}

/// The fields of a function's result that a state machine reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// Its name in the contract.
    pub name: &'static str,
    /// The fields.
    pub fields: &'static [&'static str],
    /// Which result it is.
    pub doc: &'static str,
}

/// An execution starts.
pub const START: Payload = Payload {
    name: "start",
    function: functions::PREPROCESS,
    action: Some("start"),
    fields: &["execution_name", "execution_arn", "started_at", "input"],
    doc: "An execution of the batch orchestrator starts.",
};
/// A step is done.
pub const NEXT_STEP: Payload = Payload {
    name: "nextStep",
    function: functions::PREPROCESS,
    action: Some("next_step"),
    fields: &["state"],
    doc: "A step of a run is done.",
};
/// A job is to be created.
pub const SUBMIT: Payload = Payload {
    name: "submit",
    function: functions::SUBMIT,
    action: None,
    fields: &[
        "task_token",
        "redrive_count",
        "retry_count",
        "run_id",
        "execution_arn",
        "model_id",
        "invocation_type",
        "falls_back",
        "job",
    ],
    doc: "A Bedrock job is to be created; the state waits for its task token.",
};
/// The records of a job are to be answered on demand.
pub const INVOKE: Payload = Payload {
    name: "invoke",
    function: functions::INVOKE,
    action: None,
    fields: &["run_id", "execution_arn", "job"],
    doc: "The records of a job are to be answered on demand.",
};
/// A job of the first pass is over.
pub const POSTPROCESS_JOB: Payload = Payload {
    name: "postprocessJob",
    function: functions::POSTPROCESS,
    action: None,
    fields: &["run_id", "execution_arn", "job"],
    doc: "A job of the first pass is over: its chunk is to be joined.",
};
/// A chunk is to be joined.
pub const POSTPROCESS_CHUNK: Payload = Payload {
    name: "postprocessChunk",
    function: functions::POSTPROCESS,
    action: None,
    fields: &["run_id", "execution_arn", "chunk"],
    doc: "A chunk is to be joined with the answers of all its jobs.",
};
/// A run is complete.
pub const SUMMARIZE: Payload = Payload {
    name: "summarize",
    function: functions::FINALIZE,
    action: Some("summarize"),
    fields: &["run_id", "execution_arn"],
    doc: "A run is complete.",
};
/// A run failed.
pub const EXPLAIN_FAILURE: Payload = Payload {
    name: "explainFailure",
    function: functions::FINALIZE,
    action: Some("explain_failure"),
    fields: &["run_id", "error"],
    doc: "A run failed, with the error that Step Functions reports.",
};
/// A pipeline starts.
pub const VALIDATE: Payload = Payload {
    name: "validate",
    function: functions::VALIDATE,
    action: Some("pipeline"),
    fields: &["execution_name", "execution_arn", "started_at", "input"],
    doc: "An execution of the pipeline orchestrator starts.",
};
/// A pipeline succeeded.
pub const PIPELINE_SUCCEEDED: Payload = Payload {
    name: "pipelineSucceeded",
    function: functions::NOTIFY,
    action: Some("succeeded"),
    fields: &["pipeline_run_id"],
    doc: "All stages of a pipeline are complete.",
};
/// A pipeline failed.
pub const PIPELINE_FAILED: Payload = Payload {
    name: "pipelineFailed",
    function: functions::NOTIFY,
    action: Some("failed"),
    fields: &["execution_name", "execution_arn", "started_at", "input", "error"],
    doc: "A pipeline failed, with the error that Step Functions reports.",
};

/// All payloads.
pub const ALL: &[Payload] = &[
    START,
    NEXT_STEP,
    SUBMIT,
    INVOKE,
    POSTPROCESS_JOB,
    POSTPROCESS_CHUNK,
    SUMMARIZE,
    EXPLAIN_FAILURE,
    VALIDATE,
    PIPELINE_SUCCEEDED,
    PIPELINE_FAILED,
];

/// The object that goes from state to state of a run.
pub const STEP: Returned = Returned {
    name: "step",
    fields: &[
        "step",
        "run_id",
        "bucket",
        "execution_arn",
        "manifest_key",
        "max_concurrency",
        "model_id",
        "invocation_type",
        "falls_back",
    ],
    doc: "preprocess: the object that goes from state to state of a run.",
};
/// The result of an invocation on demand.
pub const INVOKED: Returned =
    Returned { name: "invoked", fields: &["done"], doc: "invoke: whether all records of the job are answered." };
/// The reason of a failure.
pub const EXPLANATION: Returned = Returned {
    name: "explanation",
    fields: &["error", "cause"],
    doc: "finalize, notify: the error and the cause that an execution ends with.",
};
/// A valid pipeline.
pub const PIPELINE: Returned = Returned {
    name: "pipeline",
    fields: &["pipeline_run_id", "stages"],
    doc: "validate: the object that goes from state to state of a pipeline.",
};
/// A stage of a valid pipeline.
pub const STAGE: Returned =
    Returned { name: "stage", fields: &["index", "execution_name", "input"], doc: "validate: an item of `stages`." };

/// All results.
pub const RESULTS: &[Returned] = &[STEP, INVOKED, EXPLANATION, PIPELINE, STAGE];
