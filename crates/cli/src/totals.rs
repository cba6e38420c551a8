//! What a run came to, for people.

use crate::say::say;
use bedrock_batch_domain::summary::RunOutput;
use std::collections::BTreeMap;

pub(crate) fn print_totals(output: &RunOutput) {
    let summary = &output.summary;
    say!("run {}: {}", output.run_id, output.status);
    say!(
        "  records  {} in, {} answered, {} failed, {} skipped",
        summary.records_in,
        summary.answered,
        summary.failed,
        summary.skipped
    );
    print_reasons("failed", &summary.failed_reasons);
    print_reasons("skipped", &summary.skipped_reasons);
    print_reasons("note", &summary.warnings);
    say!("  jobs     {}", summary.jobs);
    say!("  tokens   {} in, {} out", summary.input_tokens, summary.output_tokens);
    match (&summary.cost_usd, &summary.price) {
        (Some(cost), Some(price)) => say!("  cost     ${cost:.4} (batch prices of {})", price.as_of),
        _ => say!("  cost     unknown: no price for this model is known (infra/model-overrides.toml)"),
    }
    say!("  files    {} under {}", output.output_path_count, output.output_prefix);
}

fn print_reasons(what: &str, reasons: &BTreeMap<String, u64>) {
    for (reason, count) in reasons {
        say!("           {what}: {count} × {reason}");
    }
}
