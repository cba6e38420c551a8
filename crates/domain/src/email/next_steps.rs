//! Next steps after a failure.

use super::{Ending, Failed};
use crate::error_name::ErrorName;

/// Returns the remedy for the error.
fn remedy(failed: &Failed) -> &'static str {
    match ErrorName::parse(&failed.error) {
        Some(ErrorName::InvalidInput) => "Correct what the cause lists. Nothing was sent to a model because of it.",
        Some(ErrorName::JobFailed) => {
            "Fix what the cause describes: usually access to the model, or the Bedrock service role."
        }
        Some(ErrorName::QuotaExceeded) => {
            "Wait until other batch jobs have ended, or request a higher Bedrock quota from AWS."
        }
        Some(ErrorName::Throttled | ErrorName::Transient) => {
            "An AWS service failed through all retries: check its health, then continue."
        }
        Some(ErrorName::AccessDenied) => {
            "Grant the right that the cause names; see section `AccessDenied` of docs/runbook.md for the role."
        }
        Some(ErrorName::NameClash) => {
            "Start a new run over the same input: its jobs have other names. Nothing of the other owner was changed."
        }
        Some(ErrorName::Corrupt) => {
            "A stored object or item is missing or damaged: restore what the cause names, or start a new run."
        }
        Some(ErrorName::Internal) => {
            "A setting of the stack is wrong, or this is a bug: report it with the cause and the run's id."
        }
        Some(ErrorName::Superseded) => {
            "Another execution has continued the run, or it was stopped: there is nothing to do."
        }
        None if failed.ending == Ending::Aborted => {
            "It was stopped by a user. If that was intended, there is nothing to do."
        }
        None => "See docs/runbook.md for the meaning of the error.",
    }
}

/// Lists the steps, in order.
pub(super) fn lines(failed: &Failed) -> Vec<String> {
    let mut lines = vec![format!("  {}", remedy(failed))];
    if failed.stage.is_none() && !failed.done.is_empty() {
        lines.push("  All stages are complete: nothing has to be repeated.".to_owned());
        return lines;
    }
    let Some(run_id) = failed.resumable_run() else {
        lines.push("  Then start it again.".to_owned());
        if let Some(last) = failed.done.last() {
            let run_id = &last.report.output.run_id;
            lines.push(
                "  The answers of the earlier stages are kept. A standalone run can continue from them, with"
                    .to_owned(),
            );
            lines.push(format!(
                "    \"previous_run\": {{\"run_id\": \"{run_id}\", \"stage_name\": \"{}\"}}",
                last.report.name()
            ));
        }
        return lines;
    };
    lines.extend([
        "  To continue where it ended, without paying twice for rows that are answered:".to_owned(),
        format!("    bedrock-batch resume {run_id}"),
        "  To write out the answers that exist, without sending further requests:".to_owned(),
        format!("    bedrock-batch collect {run_id}"),
    ]);
    if !failed.later_stages.is_empty() {
        lines.push(
            "  The later stages do not start by themselves. Once it is complete, start them in this order:".to_owned(),
        );
        for stage in &failed.later_stages {
            let file = format!("{}.json", stage.execution_name);
            lines.push(format!("    echo '{{\"config_s3_uri\": \"{}\"}}' > {file}", stage.input_uri));
            lines.push(format!("    bedrock-batch start {file} --name {} --wait", stage.execution_name));
        }
    }
    lines
}
