use super::*;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000;
const WAIT: u64 = 900;

fn run(number: u8) -> RunId {
    RunId::parse(&format!("run-{number}")).unwrap()
}

fn job(run: u8, number: u8) -> JobName {
    format!("p-{number:04}-{run:011}").parse().unwrap()
}

fn places(limit: u32) -> JobPlaces {
    let mut places = JobPlaces::default();
    places.set_limit(limit);
    places
}

fn take(places: &mut JobPlaces, of: u8, number: u8, now: u64) -> TakenPlace {
    places.take(&run(of), &job(of, number), now, WAIT)
}

fn full(limit: u32, taken: usize) -> TakenPlace {
    TakenPlace::Full(Occupied { limit, taken })
}

#[test]
fn without_a_known_quota_nothing_is_counted() {
    let mut places = JobPlaces::default();
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Unlimited);
    assert_eq!(places, JobPlaces::default());
}

#[test]
fn a_job_keeps_its_place_until_it_gives_it_back() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 0, 0, NOW + 1), TakenPlace::Held);
    assert_eq!(take(&mut places, 0, 1, NOW + 1), full(1, 1));
    assert!(places.release(&job(0, 0)));
    assert!(!places.release(&job(0, 0)), "it has none any more");
    assert_eq!(take(&mut places, 0, 1, NOW + 2), TakenPlace::Taken);
}

#[test]
fn a_run_takes_no_place_that_another_one_needs() {
    let mut places = places(2);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 0, 1, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 1, 0, NOW + 1), full(2, 2));
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 0, 2, NOW + 2), full(2, 1), "the other run has none");
    assert_eq!(take(&mut places, 1, 0, NOW + 3), TakenPlace::Taken);
    places.release(&job(0, 1));
    assert_eq!(take(&mut places, 0, 2, NOW + 4), TakenPlace::Taken, "no run waits any more that has fewer");
}

#[test]
fn of_two_runs_with_as_many_places_the_one_that_has_waited_longer_is_next() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    for (of, at) in [(1, 1), (2, 2), (1, 3)] {
        assert_eq!(take(&mut places, of, 0, NOW + at), full(1, 1));
    }
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 2, 0, NOW + 4), full(1, 0));
    assert_eq!(take(&mut places, 1, 0, NOW + 5), TakenPlace::Taken);
}

#[test]
fn a_run_with_fewer_places_is_next_even_if_it_has_waited_for_less_time() {
    let mut places = places(3);
    for (of, number) in [(0, 0), (0, 1), (1, 0)] {
        assert_eq!(take(&mut places, of, number, NOW), TakenPlace::Taken);
    }
    assert_eq!(take(&mut places, 0, 2, NOW + 1), full(3, 3));
    assert_eq!(take(&mut places, 2, 0, NOW + 2), full(3, 3));
    places.release(&job(1, 0));
    assert_eq!(take(&mut places, 0, 2, NOW + 3), full(3, 2));
    assert_eq!(take(&mut places, 2, 0, NOW + 4), TakenPlace::Taken);
}

#[test]
fn a_run_that_was_served_while_it_waited_comes_after_those_that_were_not() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 0, 1, NOW), full(1, 1));
    assert_eq!(take(&mut places, 1, 0, NOW), full(1, 1));
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 0, 1, NOW), full(1, 0));
    assert_eq!(take(&mut places, 1, 0, NOW), TakenPlace::Taken);
}

#[test]
fn a_run_that_has_taken_a_place_waits_no_longer() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 1, 0, NOW + 1), full(1, 1));
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 1, 0, NOW + 2), TakenPlace::Taken);
    places.release(&job(1, 0));
    assert_eq!(take(&mut places, 2, 0, NOW + 3), TakenPlace::Taken);
}

#[test]
fn a_run_waits_until_the_latest_attempt_of_its_jobs_is_due() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(places.take(&run(1), &job(1, 0), NOW, 60), full(1, 1));
    assert_eq!(places.take(&run(1), &job(1, 1), NOW, 900), full(1, 1));
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 2, 0, NOW + 100), full(1, 0));
}

#[test]
fn a_run_that_does_not_come_back_holds_up_nobody() {
    let mut places = places(1);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 1, 0, NOW), full(1, 1));
    places.release(&job(0, 0));
    assert_eq!(take(&mut places, 2, 0, NOW + WAIT), full(1, 0));
    assert_eq!(take(&mut places, 2, 0, NOW + WAIT + 1), TakenPlace::Taken);
}

#[test]
fn a_place_that_others_have_taken_is_given_back_and_waited_for() {
    let mut places = places(2);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert!(places.refuse(&run(0), &job(0, 0), NOW, WAIT));
    assert!(!places.refuse(&run(0), &job(0, 0), NOW, WAIT), "it has none");
    assert_eq!(take(&mut places, 1, 0, NOW + 1), TakenPlace::Taken, "of two free places one is for the run that waits");
    assert_eq!(take(&mut places, 1, 1, NOW + 1), full(2, 1));
    assert_eq!(take(&mut places, 0, 0, NOW + 1), TakenPlace::Taken);
}

#[test]
fn places_that_were_held_for_long_are_looked_at_one_after_the_other() {
    let mut places = places(2);
    assert_eq!(take(&mut places, 0, 0, NOW), TakenPlace::Taken);
    assert_eq!(take(&mut places, 1, 0, NOW + 1), TakenPlace::Taken);
    assert_eq!(places.doubtful(NOW + CHECK_AFTER_SECONDS - 1), None);
    let later = NOW + CHECK_AFTER_SECONDS + 1;
    assert_eq!(places.doubtful(later), Some((&run(0), &job(0, 0))));
    places.note_checked(&job(0, 0), later);
    assert_eq!(places.doubtful(later), Some((&run(1), &job(1, 0))));
    places.note_checked(&job(1, 0), later);
    assert_eq!(places.doubtful(later), None);
    places.note_checked(&job(2, 0), later);
    assert_eq!(take(&mut places, 2, 0, later), full(2, 2), "a job without a place gets none by a check");
}

#[test]
fn the_largest_item_can_be_stored() {
    let mut places = places(u32::MAX);
    let long = |kind: &str, number: u32| format!("{kind}{number:0width$}", width = 80 - kind.len());
    for number in 0..=MAX_PLACES {
        let run = RunId::parse(&long("r-", number)).unwrap();
        let job = format!("{}-{number:04}-0123456789a", "p".repeat(45)).parse().unwrap();
        places.take(&run, &job, NOW, WAIT);
    }
    for number in 0..1_000 {
        let run = RunId::parse(&long("w-", number)).unwrap();
        places.take(&run, &job(0, 0), NOW, WAIT);
    }
    assert_eq!(places.taken(), MAX_PLACES as usize);
    let stored = serde_json::to_string(&places).unwrap();
    assert!(stored.len() < 390_000, "{} bytes", stored.len());
    assert_eq!(serde_json::from_str::<JobPlaces>(&stored).unwrap(), places);
}

proptest! {
    /// Runs of up to six jobs, whose attempts come in any order, at any time within their maximum wait.
    #[test]
    fn all_jobs_of_all_runs_get_their_place_and_never_more_than_there_are(
        jobs in prop::collection::vec(1u8..6, 8), limit in 1u32..5, dice in prop::collection::vec(any::<u16>(), 50..400),
    ) {
        let mut places = places(limit);
        let mut now = NOW;
        let mut open: Vec<(u8, u8)> = (0..).zip(&jobs).flat_map(|(run, jobs)| (0..*jobs).map(move |job| (run, job))).collect();
        let mut running: Vec<(u8, u8)> = Vec::new();
        // Time of the latest attempt of each waiting run.
        let mut waiting: BTreeMap<u8, u64> = BTreeMap::new();
        let mut dice = dice.into_iter().chain(std::iter::repeat(0));
        while !open.is_empty() {
            let rolled = usize::from(dice.next().unwrap());
            if rolled % 3 == 2 && !running.is_empty() {
                let (of, number) = running.remove(rolled % running.len());
                prop_assert!(places.release(&job(of, number)));
            }
            // Without any luck, all take their turns, and the oldest job ends: nothing may depend on luck.
            let next = rolled % open.len();
            let (of, number) = open.remove(next);
            match take(&mut places, of, number, now) {
                TakenPlace::Taken => {
                    let held = |run: u8| running.iter().filter(|(of, _)| *of == run).count();
                    waiting.remove(&of);
                    let is_there = |at: u64| now <= at + WAIT;
                    let fewer = waiting.iter().filter(|(other, at)| is_there(**at) && held(**other) < held(of)).count();
                    let left = limit as usize - running.len() - 1;
                    prop_assert!(fewer <= left, "{left} places are left for {fewer} runs that have fewer");
                    running.push((of, number));
                }
                TakenPlace::Full(occupied) => {
                    prop_assert_eq!(occupied.taken, running.len());
                    waiting.insert(of, now);
                    open.push((of, number));
                    if rolled == 0 && !running.is_empty() {
                        let (of, number) = running.remove(0);
                        prop_assert!(places.release(&job(of, number)));
                    }
                }
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(running.len() <= limit as usize);
            prop_assert_eq!(places.taken(), running.len());
            // Some runs make no attempt within their wait, and are not waited for.
            now += WAIT / (open.len() as u64 + 1) / 2;
        }
    }
}
