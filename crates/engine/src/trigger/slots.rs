//! Slots of the executions that uploads start.

use super::Trigger;
use crate::error::EngineError;
use crate::reconcile::execution_status;
use crate::time;
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::trigger::{SlotState, Upload, UploadSlots, execution_name, has_ended};

/// Maximum number of attempts to change the slots while other invocations do so too.
const MAX_ATTEMPTS: u32 = 20;

impl Trigger {
    /// Returns true if the upload has to wait, as far as is known without a look at the executions that have the slots.
    pub(super) async fn has_to_wait(&self, upload: &Upload) -> Result<bool, EngineError> {
        let (stored, now) = (self.jobs.upload_slots().await?, time::now());
        let name = execution_name(upload);
        for machine in [&self.pipeline_orchestrator, &self.batch_orchestrator] {
            let execution = machine.execution(&name)?;
            if stored.slots.state(execution.as_str(), self.queue.max_executions, now) != SlotState::Full {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns true if the execution has a slot now.
    pub(super) async fn take_slot(&self, execution: &ExecutionArn) -> Result<bool, EngineError> {
        let (name, max) = (execution.as_str(), self.queue.max_executions);
        for _ in 0..MAX_ATTEMPTS {
            let (mut stored, now) = (self.jobs.upload_slots().await?, time::now());
            let slots = &mut stored.slots;
            let mut state = slots.state(name, max, now);
            if state == SlotState::Unchecked {
                let ended = self.ended(slots, now).await?;
                slots.release_ended(&ended, now);
                state = slots.state(name, max, now);
            } else if state != SlotState::Free {
                return Ok(state == SlotState::Held);
            }
            if state == SlotState::Free {
                slots.take(name, now);
            }
            if self.jobs.put_upload_slots(&stored).await? {
                return Ok(state == SlotState::Free);
            }
        }
        Err(EngineError::transient(format!("the slots of uploads changed {MAX_ATTEMPTS} times in a row")))
    }

    /// Takes the slot of an execution back that could not be started.
    pub(super) async fn release_slot(&self, execution: &ExecutionArn) -> Result<(), EngineError> {
        for _ in 0..MAX_ATTEMPTS {
            let mut stored = self.jobs.upload_slots().await?;
            stored.slots.release(execution.as_str());
            if self.jobs.put_upload_slots(&stored).await? {
                return Ok(());
            }
        }
        // It is found to be free later, because its execution does not exist.
        Ok(())
    }

    async fn ended(&self, slots: &UploadSlots, now: u64) -> Result<Vec<String>, EngineError> {
        let mut ended = Vec::new();
        for (name, since) in slots.running() {
            let execution: Result<ExecutionArn, _> = name.parse();
            let execution = execution
                .map_err(|_| EngineError::corrupt(format!("the slots of uploads name the execution `{name}`")))?;
            if has_ended(execution_status(&self.step_functions, &execution).await?.as_deref(), since, now) {
                ended.push(name.to_owned());
            }
        }
        Ok(ended)
    }
}
