//! Report on a folder of prompt configurations: its problems, or its quality.

use crate::run_progress::quantity;
use crate::terminal::outln;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt_generation::TemplateMetadata;
use std::path::Path;

/// Maximum number of issues of a component that are printed; the metadata lists more of them.
const MAX_PRINTED_ISSUES: usize = 30;

/// Prints all problems, one per line, and returns the message of the failure.
pub(super) fn problems(folder: &Path, problems: &[Problem]) -> String {
    for problem in problems {
        outln!("{}", problem.to_string().replace('\n', " "));
    }
    format!("{}: {}", folder.display(), quantity(problems.len() as u64, "problem"))
}

/// Prints that the folder has no problems.
pub(super) fn valid(folder: &Path, metadata: &TemplateMetadata) {
    let categories = match metadata.category_count {
        1 => "one category".to_owned(),
        count => format!("{count} categories"),
    };
    outln!("{} contains prompt configurations of {categories}: no problems", folder.display());
}

/// Prints the score and the issues of each component. `is_written` is true if the metadata is written, too.
pub(super) fn quality(metadata: &TemplateMetadata, is_written: bool) {
    let quality = &metadata.validation_results;
    let issues = match quality.issues() {
        0 => "no issues".to_owned(),
        count => quantity(count as u64, "issue"),
    };
    outln!("quality: {:.2} of 1, {issues}", quality.quality_score);
    for component in &quality.validation_details {
        let weak = if component.is_valid { "" } else { ", too weak for the validation level" };
        outln!("  {}: {:.2}{weak}", component.component, component.score);
        for issue in component.issues.iter().take(MAX_PRINTED_ISSUES) {
            outln!("    {issue}");
        }
        let more = component.issue_count().saturating_sub(MAX_PRINTED_ISSUES);
        if more > 0 {
            let listed = component.issues.len().saturating_sub(MAX_PRINTED_ISSUES);
            let place = match (is_written, component.issues_left_out) {
                (false, _) => String::new(),
                (true, 0) => ", which the metadata lists".to_owned(),
                (true, _) => format!(", of which the metadata lists {listed}"),
            };
            outln!("    and {more} more{place}");
        }
    }
}
