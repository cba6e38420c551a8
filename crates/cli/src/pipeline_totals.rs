//! Human-readable status and totals of a pipeline run.

use crate::executions::ENDED_LONG_AGO;
use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::stack::Stack;
use crate::terminal::outln;
use crate::totals::usd;

/// Prints a pipeline run: one line per stage, its cost, and the location of its rows.
pub(crate) async fn print_pipeline(stack: &Stack, run: &PipelineRun) -> Result<(), Failure> {
    let status = run.execution.as_ref().map_or(ENDED_LONG_AGO, |execution| execution.status.as_str());
    outln!("pipeline run {}: {status}", run.name);
    let width = run.stages().iter().map(|stage| stage.stage_name.chars().count()).max().unwrap_or(0);
    let mut costs = Vec::new();
    for (index, stage) in run.stages().iter().enumerate() {
        let state = stack.stage_state(stage).await?;
        outln!("  stage {}  {:<width$}  {}", index + 1, stage.stage_name, state.line(run.running().is_some()));
        if state.run.is_some() {
            outln!("           {:<width$}  run {}", "", stage.execution_name);
        }
        costs.extend(state.output.map(|output| output.summary.cost_usd));
    }
    let done = costs.len() == run.stages().len();
    if !costs.is_empty() {
        let cost = sum(&costs).map_or_else(|| "unknown: a model has no price".to_owned(), usd);
        outln!("  cost     {cost}{}", if done { "" } else { " so far" });
    }
    if done && let Some(summary) = stack.pipeline_summary(&run.name).await? {
        outln!("  files    {} under {}", indicatif::HumanCount(summary.output_path_count), summary.output_prefix);
    }
    Ok(())
}

/// Adds up the costs; a single unknown cost makes the sum unknown.
fn sum(costs: &[Option<f64>]) -> Option<f64> {
    costs.iter().try_fold(0.0, |sum, cost| Some(sum + (*cost)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_with_an_unknown_cost_is_unknown() {
        assert_eq!(sum(&[Some(0.5), Some(0.25)]), Some(0.75));
        assert_eq!(sum(&[Some(0.5), None]), None);
    }
}
