//! What to do when a job is seen in some status: a pure, total function, so that events may come late, twice, in any
//! order or not at all.

use super::{FailureKind, JobStatus};

/// The stored state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The latest status that was stored; `None` before the first.
    pub status: Option<JobStatus>,
    /// If true, a state machine waits for the answer: there is a token, and it was not answered.
    pub waiting: bool,
    /// If true, its rows may go on demand instead.
    pub on_demand_allowed: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: we know this already, or something later.
    Nothing,
    /// Store the status; the job goes on and nobody waits.
    Record,
    /// Store the status and tell the waiting state machine that the job is alive.
    Heartbeat,
    /// Store the status if it is new, and let the state machine go on with what answers there are.
    Succeed,
    /// Store the status if it is new, note that the rows are to be asked on demand, and let the state machine go on.
    FallBack,
    /// Store the status if it is new, and end the run with Bedrock's message.
    Fail,
}

/// The next action for a job that Bedrock shows in `seen`; `failure` is what its message tells, for `Failed`.
pub fn next_action(seen: JobStatus, failure: FailureKind, stored: Stored) -> Action {
    // What is stored as over stays over, whatever an old look at the job says.
    let known = stored.status.filter(|status| status.is_terminal());
    let status = known.unwrap_or(seen);
    if status.is_terminal() {
        return match (stored.waiting, status) {
            (true, JobStatus::Failed) => match failure {
                FailureKind::Passing => Action::Succeed,
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
                    for failure in [FailureKind::Passing, FailureKind::NoBatch, FailureKind::Permanent] {
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
    fn what_is_known_already_is_not_stored_again() {
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

    /// What happens: a look at the job (the argument says how far it is), and where settle dies within.
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
        #![proptest_config(ProptestConfig::with_cases(3000))]
        /// Looks at a job in any order, repeated, dying anywhere, and then one whole look at its end: the state
        /// machine is answered, with the right answer, and the status never went back.
        #[test]
        fn a_run_is_answered_whatever_becomes_of_the_events(
            looks in looks(),
            end in prop::sample::select(vec![JobStatus::Completed, JobStatus::PartiallyCompleted, JobStatus::Expired,
                JobStatus::Stopped, JobStatus::Failed]),
            permanent in any::<bool>(),
        ) {
            let life = [JobStatus::Submitted, JobStatus::Validating, JobStatus::Scheduled, JobStatus::InProgress, end];
            let failure = if permanent { FailureKind::Permanent } else { FailureKind::Passing };
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
