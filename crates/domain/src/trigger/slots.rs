//! Slots of the executions that uploads start: a maximum number of them runs at the same time, and further uploads wait.

use crate::run::is_running;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Minimum number of seconds between two looks at all executions, which many waiting uploads would take each. With more slots
/// it is one second per slot, so that no more than one execution is described per second.
const MIN_CHECK_SECONDS: u64 = 5;
/// Seconds after which an execution that has a slot and does not exist is not going to: the function that took the slot ended
/// before it started the execution.
const START_SECONDS: u64 = 15 * 60;

/// Executions that uploads have started and that may still run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UploadSlots {
    /// Executions by ARN, with the time at which each took its slot in seconds since 1970.
    running: BTreeMap<String, u64>,
    /// Time at which the ended executions were last removed.
    checked_at: u64,
}

/// State of the slots for an execution that needs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It has one.
    Held,
    /// It can have one.
    Free,
    /// All slots are taken, but perhaps by executions that have ended.
    Unchecked,
    /// All slots are taken.
    Full,
}

impl UploadSlots {
    /// Returns the state for the execution at the time `now`, if there are `max` slots.
    pub fn state(&self, execution: &str, max: usize, now: u64) -> SlotState {
        if self.running.contains_key(execution) {
            SlotState::Held
        } else if self.running.len() < max {
            SlotState::Free
        } else if now.abs_diff(self.checked_at) >= MIN_CHECK_SECONDS.max(self.running.len() as u64) {
            SlotState::Unchecked
        } else {
            SlotState::Full
        }
    }

    /// Returns the executions that have a slot, with the time at which they took it.
    pub fn running(&self) -> impl Iterator<Item = (&str, u64)> {
        self.running.iter().map(|(execution, since)| (execution.as_str(), *since))
    }

    /// Gives the execution a slot.
    pub fn take(&mut self, execution: &str, now: u64) {
        self.running.entry(execution.to_owned()).or_insert(now);
    }

    /// Takes the slot back.
    pub fn release(&mut self, execution: &str) {
        self.running.remove(execution);
    }

    /// Takes the slots of executions that have ended, and notes that all were looked at.
    pub fn release_ended(&mut self, ended: &[String], now: u64) {
        self.running.retain(|execution, _| !ended.contains(execution));
        self.checked_at = now;
    }
}

/// Returns true if an execution with this status has ended. One that does not exist (`None`) may be about to start, shortly
/// after it took its slot.
pub fn has_ended(status: Option<&str>, since: u64, now: u64) -> bool {
    match status {
        Some(status) => !is_running(status),
        None => now.abs_diff(since) >= START_SECONDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn an_upload_waits_while_all_slots_are_taken() {
        let mut slots = UploadSlots::default();
        slots.take("a", NOW);
        assert_eq!(slots.state("b", 2, NOW), SlotState::Free);
        slots.take("b", NOW);
        assert_eq!((slots.state("a", 2, NOW), slots.state("c", 2, NOW)), (SlotState::Held, SlotState::Unchecked));
        slots.release_ended(&[], NOW);
        assert_eq!(slots.state("c", 2, NOW + MIN_CHECK_SECONDS - 1), SlotState::Full);
        assert_eq!(slots.state("c", 2, NOW + MIN_CHECK_SECONDS), SlotState::Unchecked);
        slots.release_ended(&["a".to_owned()], NOW + MIN_CHECK_SECONDS);
        assert_eq!(slots.state("c", 2, NOW + MIN_CHECK_SECONDS), SlotState::Free);
    }

    #[test]
    fn with_fewer_slots_than_before_nothing_starts_until_enough_have_ended() {
        let mut slots = UploadSlots::default();
        for execution in ["a", "b", "c"] {
            slots.take(execution, NOW);
        }
        slots.release_ended(&["a".to_owned()], NOW);
        assert_eq!(slots.state("d", 2, NOW), SlotState::Full);
    }

    #[rstest]
    #[case(Some("RUNNING"), 0, false)]
    #[case(Some("SUCCEEDED"), 0, true)]
    #[case(Some("ABORTED"), 0, true)]
    #[case(Some("PENDING_REDRIVE"), 0, false)]
    #[case(None, 0, false)]
    #[case(None, START_SECONDS, true)]
    fn an_execution_that_does_not_exist_keeps_its_slot_for_a_while(
        #[case] status: Option<&str>,
        #[case] age: u64,
        #[case] expected: bool,
    ) {
        assert_eq!(has_ended(status, NOW - age, NOW), expected);
    }

    proptest! {
        #[test]
        fn there_are_never_more_executions_than_slots(
            max in 1usize..5,
            steps in proptest::collection::vec((0u8..8, any::<bool>(), 0u64..100), 0..80),
        ) {
            let (mut slots, mut now) = (UploadSlots::default(), NOW);
            for (name, ends, seconds) in steps {
                now += seconds;
                let name = name.to_string();
                match slots.state(&name, max, now) {
                    SlotState::Held if ends => slots.release_ended(std::slice::from_ref(&name), now),
                    SlotState::Free => slots.take(&name, now),
                    SlotState::Held | SlotState::Unchecked | SlotState::Full => {}
                }
                prop_assert!(slots.running().count() <= max);
            }
            let stored = serde_json::to_string(&slots).unwrap();
            prop_assert_eq!(serde_json::from_str::<UploadSlots>(&stored).unwrap(), slots);
        }
    }
}
