//! A run and the execution that owns it: the one of the same name, or one that continues the run.

use crate::executions::{ENDED_LONG_AGO, Execution, Orchestrator};
use crate::failure::Failure;
use crate::stack::Stack;
use bedrock_batch_domain::plan::Plan;

/// Current state of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    /// `Some` once preprocess has frozen it.
    pub(crate) plan: Option<Plan>,
    /// Execution that owns the run, or owned it last; `None` if Step Functions no longer knows it.
    pub(crate) execution: Option<Execution>,
    /// True once the stack has requested its jobs to stop.
    pub(crate) stopped: bool,
}

impl Run {
    /// Returns the execution if it is running.
    pub(crate) fn running(&self) -> Option<&Execution> {
        self.execution.as_ref().filter(|execution| execution.is_running())
    }

    /// Returns the outcome of the execution.
    pub(crate) fn outcome(&self) -> String {
        self.execution.as_ref().map_or_else(|| ENDED_LONG_AGO.to_owned(), Execution::outcome)
    }

    /// Returns an error if the name is that of an execution that continues another run: that is not a run of its own.
    pub(crate) fn ensure_own_run(&self) -> Result<(), Failure> {
        let earlier = self.execution.as_ref().filter(|_| self.plan.is_none()).and_then(|e| e.earlier_run.as_deref());
        earlier.map_or(Ok(()), |run| {
            let name = &self.name;
            Err(Failure::Usage(format!("`{name}` is an execution that continues run `{run}`: use the name `{run}`")))
        })
    }
}

impl Stack {
    /// Returns the run with this name.
    ///
    /// # Errors
    /// Returns a usage error if the run does not exist.
    pub(crate) async fn run(&self, name: &str) -> Result<Run, Failure> {
        match self.find_run(name).await? {
            Some(run) => Ok(run),
            None => Err(Failure::Usage(format!(
                "run `{name}` does not exist in {}: check the name (`bedrock-batch start` prints it) and the region",
                self.state_machine
            ))),
        }
    }

    /// Returns the run with this name, or `None` if it does not exist.
    pub(crate) async fn find_run(&self, name: &str) -> Result<Option<Run>, Failure> {
        let plan = self.plan(name).await?;
        let item = match &plan {
            Some(plan) => self.job_table(plan).run(&plan.run_id).await?,
            None => None,
        };
        let stopped = item.as_ref().is_some_and(|item| item.stopped);
        let execution = match (&item, &plan) {
            (Some(item), _) => self.execution(&item.execution_arn).await?,
            (None, Some(plan)) => self.execution(&plan.execution_arn).await?,
            (None, None) => self.execution_named(Orchestrator::Batch, name).await?,
        };
        let known = plan.is_some() || execution.is_some();
        Ok(known.then(|| Run { name: name.to_owned(), plan, execution, stopped }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(earlier_run: Option<&str>) -> Run {
        let execution = Execution {
            arn: "arn:aws:states:us-east-1:1:execution:machine:b".parse().unwrap(),
            status: "RUNNING".to_owned(),
            error: None,
            cause: None,
            earlier_run: earlier_run.map(str::to_owned),
        };
        Run { name: "b".to_owned(), plan: None, execution: Some(execution), stopped: false }
    }

    #[test]
    fn an_execution_that_continues_a_run_is_not_a_run() {
        assert!(run(None).ensure_own_run().is_ok());
        let refused = run(Some("a")).ensure_own_run().unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("continues run `a`"), "{refused}");
    }
}
