//! What to do after a failure.

use super::failed::{Ending, Failed};
use crate::error_name::ErrorName;

/// A stage that was never begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterStage {
    /// Its name.
    pub stage_name: String,
    /// The name its execution was to have.
    pub execution_name: String,
    /// The S3 address of its input.
    pub input_uri: String,
}

/// What mends an error of this name.
fn remedy(failed: &Failed) -> &'static str {
    match ErrorName::parse(&failed.error) {
        Some(ErrorName::InvalidInput) => "Correct what the cause lists. Nothing was sent to a model because of it.",
        Some(ErrorName::JobFailed) => {
            "Fix what the cause says: mostly access to the model, or the Bedrock service role."
        }
        Some(ErrorName::QuotaExceeded) => "Free Bedrock's quota of batch jobs, or request more from AWS.",
        Some(ErrorName::Throttled | ErrorName::Transient) => {
            "An AWS service failed through all retries: check its health, then continue."
        }
        Some(ErrorName::AccessDenied) => {
            "Grant what the cause names; docs/runbook.md, section `AccessDenied`, says to which role."
        }
        Some(ErrorName::Corrupt) => {
            "Something that was stored is missing or damaged. Restore what the cause names; without it, start anew."
        }
        Some(ErrorName::Internal) => {
            "Either a setting of the stack is wrong, or this is a bug: report it with the cause and the run's id."
        }
        Some(ErrorName::Superseded) => {
            "Another execution has continued the run, or it was stopped: there is nothing to do here."
        }
        None if failed.ending == Ending::Aborted => "It was stopped. If that was intended, there is nothing to do.",
        None => "docs/runbook.md says what the error means.",
    }
}

/// The steps, in order.
pub(super) fn lines(failed: &Failed) -> Vec<String> {
    let mut lines = vec![format!("  {}", remedy(failed))];
    if failed.stage.is_none() && !failed.done.is_empty() {
        lines.push("  All stages are complete: there is nothing to do again.".to_owned());
        return lines;
    }
    let Some(run_id) = failed.resumable_run() else {
        lines.push("  Then start it again.".to_owned());
        if let Some(last) = failed.done.last() {
            let run_id = &last.report.output.run_id;
            lines.push(
                "  The answers of the stages before it stay. A run of its own can go on from them, with".to_owned(),
            );
            lines.push(format!(
                "    \"previous_run\": {{\"run_id\": \"{run_id}\", \"stage_name\": \"{}\"}}",
                last.report.name()
            ));
        }
        return lines;
    };
    lines.extend([
        "  To go on where it ended, without paying twice for what is answered:".to_owned(),
        format!("    bedrock-batch resume {run_id}"),
        "  To take the answers there are, and ask no more:".to_owned(),
        format!("    bedrock-batch collect {run_id}"),
    ]);
    if !failed.later_stages.is_empty() {
        lines.push("  The stages after it do not start by themselves. Once it is complete, in this order:".to_owned());
        for stage in &failed.later_stages {
            let file = format!("{}.json", stage.execution_name);
            lines.push(format!("    echo '{{\"config_s3_uri\": \"{}\"}}' > {file}", stage.input_uri));
            lines.push(format!("    bedrock-batch start {file} --name {} --wait", stage.execution_name));
        }
    }
    lines
}
