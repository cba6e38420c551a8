//! The prefixes of the bucket: the first part of every key that a function writes. [`crate::layout`] makes the keys.

super::names! {
    /// Records of jobs, which Bedrock reads.
    JOB_INPUTS = "batch_inputs_json";
    /// Rows of chunks with all their columns.
    INPUT_ROWS = "batch_inputs_parquet";
    /// Answers of jobs, which Bedrock writes.
    JOB_OUTPUTS = "batch_outputs_json";
    /// Answered rows.
    ANSWERS = "batch_output_parquet";
    /// Plan, manifests and summary of each run; names and inputs of each pipeline.
    RUNS = "runs";
    /// Uploads that start an execution.
    TRIGGER = "trigger";
    /// Runs whose working files are to be deleted, by day.
    EXPIRING = "expiring";
    /// Settings that take the place of deployed ones. No function writes them.
    SETTINGS = "settings";
}
