//! A run, and who has it in hand: the execution of its name, or one that goes on with it.

use crate::executions::{Execution, Orchestrator};
use crate::failure::Failure;
use crate::stack::Stack;
use bedrock_batch_domain::plan::Plan;

/// A run as it stands.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    /// There once preprocess has frozen it.
    pub(crate) plan: Option<Plan>,
    /// The execution that has it in hand, or had it last; none if Step Functions has forgotten it.
    pub(crate) execution: Option<Execution>,
    /// Whether its jobs were told to stop.
    pub(crate) stopped: bool,
}

impl Run {
    /// The execution, if it runs.
    pub(crate) fn running(&self) -> Option<&Execution> {
        self.execution.as_ref().filter(|execution| execution.is_running())
    }

    /// How it ended.
    pub(crate) fn end(&self) -> String {
        self.execution.as_ref().map_or_else(|| "over long ago".to_owned(), Execution::end)
    }

    /// An execution that goes on with another run is no run of its own.
    pub(crate) fn must_be_its_own(&self) -> Result<(), Failure> {
        let earlier = self.execution.as_ref().filter(|_| self.plan.is_none()).and_then(|e| e.earlier_run.as_deref());
        earlier.map_or(Ok(()), |run| {
            Err(Failure::Usage(format!("`{}` is an execution that goes on with run `{run}`: name that", self.name)))
        })
    }
}

impl Stack {
    /// The run of this name.
    pub(crate) async fn run(&self, name: &str) -> Result<Run, Failure> {
        match self.find_run(name).await? {
            Some(run) => Ok(run),
            None => Err(Failure::Usage(format!(
                "there is no run `{name}` of {}: check the name (`bedrock-batch start` prints it) and the region",
                self.state_machine
            ))),
        }
    }

    /// The run of this name, if there is one.
    pub(crate) async fn find_run(&self, name: &str) -> Result<Option<Run>, Failure> {
        let plan = self.plan(name).await?;
        let item = match &plan {
            Some(plan) => self.job_table(plan).run(&plan.run_id).await?,
            None => None,
        };
        let stopped = item.as_ref().is_some_and(|item| item.stopped);
        let arn = match (item, &plan) {
            (Some(item), _) => item.execution_arn,
            (None, Some(plan)) => plan.execution_arn.clone(),
            (None, None) => self.execution_arn(Orchestrator::Batch, name),
        };
        let execution = self.execution(&arn).await?;
        let known = plan.is_some() || execution.is_some();
        Ok(known.then(|| Run { name: name.to_owned(), plan, execution, stopped }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(earlier_run: Option<&str>) -> Run {
        let execution = Execution {
            arn: "arn:b".to_owned(),
            status: "RUNNING".to_owned(),
            error: None,
            cause: None,
            earlier_run: earlier_run.map(str::to_owned),
        };
        Run { name: "b".to_owned(), plan: None, execution: Some(execution), stopped: false }
    }

    #[test]
    fn an_execution_that_resumes_a_run_is_not_taken_for_one() {
        assert!(run(None).must_be_its_own().is_ok());
        let refused = run(Some("a")).must_be_its_own().unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("goes on with run `a`"), "{refused}");
    }
}
