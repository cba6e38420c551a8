//! Statuses of executions, as Step Functions reports them.

/// Returns true if an execution with this status runs, or is about to run again.
/// Source: the API reference of Step Functions, `DescribeExecution`.
pub fn is_running(status: &str) -> bool {
    matches!(status, "RUNNING" | "PENDING_REDRIVE")
}
