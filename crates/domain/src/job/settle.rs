//! The action that follows from a job's status: a pure, total function, so that events may arrive late, twice, in any
//! order or not at all.

use super::{FailureKind, JobStatus};

/// The stored state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The latest stored status; `None` before the first one.
    pub status: Option<JobStatus>,
    /// If true, a state machine waits for the job: there is a token that was not answered.
    pub waiting: bool,
    /// If true, its rows may be sent on demand instead.
    pub on_demand_allowed: bool,
}

/// Action for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Do nothing: this status or a later one is already stored.
    Nothing,
    /// Store the status; no state machine has to be notified.
    Record,
    /// Store the status and send a heartbeat to the waiting state machine.
    Heartbeat,
    /// Store the status if it is new, and let the state machine continue with the answers that there are.
    Succeed,
    /// Store the status if it is new, note that the rows go on demand, and let the state machine continue.
    FallBack,
    /// Store the status if it is new, and end the run with Bedrock's message.
    Fail,
}

/// Returns the next action for a job that Bedrock reports as `seen`; `failure` is the kind of its failure, for `Failed`. An unknown
/// failure that ends the run, because several are alike, is a permanent one here.
pub fn next_action(seen: JobStatus, failure: FailureKind, stored: Stored) -> Action {
    // A job that is stored as over stays over, even if an outdated response shows an earlier status.
    let known = stored.status.filter(|status| status.is_terminal());
    let status = known.unwrap_or(seen);
    if status.is_terminal() {
        return match (stored.waiting, status) {
            (true, JobStatus::Failed) => match failure {
                FailureKind::Transient | FailureKind::Unknown => Action::Succeed,
                FailureKind::NoBatch if stored.on_demand_allowed => Action::FallBack,
                FailureKind::NoBatch | FailureKind::Permanent => Action::Fail,
            },
            (true, _) => Action::Succeed,
            (false, _) if known.is_none() => Action::Record,
            (false, _) => Action::Nothing,
        };
    }
    let news = stored.status.is_none_or(|old| seen.rank() > old.rank());
    match (news, stored.waiting) {
        (false, _) => Action::Nothing,
        (true, true) => Action::Heartbeat,
        (true, false) => Action::Record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_combination_has_its_action() {
        for seen in JobStatus::ALL {
            for stored in JobStatus::ALL.map(Some).into_iter().chain([None]) {
                for waiting in [true, false] {
                    for failure in
                        [FailureKind::Transient, FailureKind::NoBatch, FailureKind::Permanent, FailureKind::Unknown]
                    {
                        for on_demand_allowed in [true, false] {
                            let action =
                                next_action(seen, failure, Stored { status: stored, waiting, on_demand_allowed });
                            let over = seen.is_terminal() || stored.is_some_and(JobStatus::is_terminal);
                            let answers = matches!(action, Action::Succeed | Action::FallBack | Action::Fail);
                            assert_eq!(over && waiting, answers);
                            if action == Action::FallBack {
                                assert!(on_demand_allowed && failure == FailureKind::NoBatch);
                            }
                            if matches!(action, Action::Heartbeat) {
                                assert!(waiting && !over);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_known_status_is_not_stored_again() {
        for status in JobStatus::ALL {
            let stored = Stored { status: Some(status), waiting: false, on_demand_allowed: false };
            assert_eq!(next_action(status, FailureKind::Permanent, stored), Action::Nothing, "{status}");
        }
        let waiting = Stored { status: Some(JobStatus::InProgress), waiting: true, on_demand_allowed: false };
        assert_eq!(next_action(JobStatus::InProgress, FailureKind::Permanent, waiting), Action::Nothing);
        assert_eq!(next_action(JobStatus::Stopping, FailureKind::Permanent, waiting), Action::Heartbeat);
    }

    /// The job, its stored item and the waiting state machine, as settle changes them.
    #[derive(Debug, Default)]
    struct World {
        status: Option<JobStatus>,
        has_token: bool,
        answered: u32,
        marked: bool,
        failed: bool,
    }

    /// One execution of settle: how far the job has progressed, and the point at which settle dies.
    #[derive(Debug, Clone, Copy)]
    struct Look {
        at: usize,
        crash: Crash,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Crash {
        Never,
        BeforeStoring,
        BeforeAnswering,
        BeforeMarking,
    }

    fn settle(world: &mut World, seen: JobStatus, failure: FailureKind, crash: Crash) {
        let waiting = world.has_token && !world.marked;
        let action = next_action(seen, failure, Stored { status: world.status, waiting, on_demand_allowed: false });
        if action == Action::Nothing || crash == Crash::BeforeStoring {
            return;
        }
        if world.status.is_none_or(|old| seen.rank() > old.rank()) {
            world.status = Some(seen);
        }
        if crash == Crash::BeforeAnswering || !matches!(action, Action::Succeed | Action::Fail) {
            return;
        }
        // Step Functions takes the first answer and refuses the others, which counts as success.
        if world.answered == 0 {
            world.failed = action == Action::Fail;
        }
        world.answered += 1;
        if crash != Crash::BeforeMarking {
            world.marked = true;
        }
    }

    fn looks() -> impl Strategy<Value = Vec<Look>> {
        let crash = prop_oneof![
            6 => Just(Crash::Never),
            1 => Just(Crash::BeforeStoring),
            1 => Just(Crash::BeforeAnswering),
            1 => Just(Crash::BeforeMarking),
        ];
        prop::collection::vec((0usize..5, crash).prop_map(|(at, crash)| Look { at, crash }), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        /// Settles a job repeatedly with its statuses in any order, dying anywhere, and finally once completely after its
        /// end: the state machine gets the correct answer, and the stored status never goes back.
        #[test]
        fn the_state_machine_is_answered_whatever_happens_to_events(
            looks in looks(),
            end in prop::sample::select(vec![JobStatus::Completed, JobStatus::PartiallyCompleted, JobStatus::Expired,
                JobStatus::Stopped, JobStatus::Failed]),
            permanent in any::<bool>(),
        ) {
            let life = [JobStatus::Submitted, JobStatus::Validating, JobStatus::Scheduled, JobStatus::InProgress, end];
            let failure = if permanent { FailureKind::Permanent } else { FailureKind::Transient };
            let mut world = World { has_token: true, ..World::default() };
            let mut best = 0;
            for look in looks {
                settle(&mut world, life[look.at], failure, look.crash);
                let rank = world.status.map_or(0, JobStatus::rank);
                prop_assert!(rank >= best, "the status never goes back");
                best = rank;
                if world.answered > 0 {
                    prop_assert!(world.status.is_some_and(JobStatus::is_terminal), "answered only when it is over");
                }
            }
            settle(&mut world, end, failure, Crash::Never);
            prop_assert!(world.answered >= 1 && world.marked);
            prop_assert_eq!(world.status, Some(end));
            prop_assert_eq!(world.failed, end == JobStatus::Failed && permanent);
            let answered = world.answered;
            for late in life {
                settle(&mut world, late, failure, Crash::Never);
            }
            prop_assert_eq!(world.answered, answered, "nothing more after that");
        }
    }
}
