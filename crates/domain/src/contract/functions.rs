//! The functions of the stack. A name is that of the folder under `lambdas/`, of its package and of its built directory.

/// Comes before a function's name in the account.
pub const NAME_PREFIX: &str = "bedrock-batch-";

super::names! {
    /// Checks a request, writes chunks and plan, and decides the next step of a run.
    PREPROCESS = "preprocess";
    /// Creates a Bedrock job.
    SUBMIT = "submit";
    /// Settles the job that an event names.
    JOB_STATUS = "job-status";
    /// Joins answers with their rows.
    POSTPROCESS = "postprocess";
    /// Invokes a model on demand.
    INVOKE = "invoke";
    /// Writes the summary of a run, or explains its failure.
    FINALIZE = "finalize";
    /// Settles open jobs that have been silent.
    RECONCILE = "reconcile";
    /// Stops the jobs of a run whose execution ended early.
    STOP_JOBS = "stop-jobs";
    /// Checks a pipeline and writes the inputs of its stages.
    VALIDATE = "validate";
    /// Sends the emails.
    NOTIFY = "notify";
    /// Starts executions for uploads.
    TRIGGER = "trigger";
    /// Follows the links of emails.
    DOWNLOAD = "download";
    /// Starts a run that classifies medical device reports.
    CLASSIFIER = "classifier";
}
