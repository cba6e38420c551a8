//! How the stages of a pipeline run stand, and what they came to, for people.

use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::say::say;
use crate::stack::Stack;
use crate::totals::usd;

/// Prints a pipeline run: a line for each stage, its cost, and where its rows are.
pub(crate) async fn print_pipeline(stack: &Stack, run: &PipelineRun) -> Result<(), Failure> {
    let status = run.execution.as_ref().map_or("over long ago", |execution| execution.status.as_str());
    say!("pipeline run {}: {status}", run.name);
    let width = run.stages().iter().map(|stage| stage.stage_name.chars().count()).max().unwrap_or(0);
    let mut costs = Vec::new();
    for (index, stage) in run.stages().iter().enumerate() {
        let now = stack.stage_now(stage).await?;
        say!("  stage {}  {:<width$}  {}", index + 1, stage.stage_name, now.line(run.running().is_some()));
        if now.run.is_some() {
            say!("           {:<width$}  run {}", "", stage.execution_name);
        }
        costs.extend(now.output.map(|output| output.summary.cost_usd));
    }
    let done = costs.len() == run.stages().len();
    if !costs.is_empty() {
        let cost = sum(&costs).map_or_else(|| "unknown: a model has no price".to_owned(), usd);
        say!("  cost     {cost}{}", if done { "" } else { " so far" });
    }
    if done && let Some(summary) = stack.pipeline_summary(&run.name).await? {
        say!("  files    {} under {}", indicatif::HumanCount(summary.output_path_count), summary.output_prefix);
    }
    Ok(())
}

/// What all of them cost; one that is unknown makes the sum unknown.
fn sum(costs: &[Option<f64>]) -> Option<f64> {
    costs.iter().try_fold(0.0, |sum, cost| Some(sum + (*cost)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_with_something_unknown_is_unknown() {
        assert_eq!(sum(&[Some(0.5), Some(0.25)]), Some(0.75));
        assert_eq!(sum(&[Some(0.5), None]), None);
    }
}
