//! Stored data of version 1 can still be read: plans, manifests, steps of running executions, and counts of the job table.
//! The files were written by version 1, for a run of three chunks (the last one too small for batch) and one round.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::format_version::FormatVersion;
use bedrock_batch_domain::ids::{JobName, RunId};
use bedrock_batch_domain::join_task::{ChunkAttempt, JoinStamp, JoinTask};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::{Layout, client_request_token};
use bedrock_batch_domain::plan::{JobItem, Plan};
use bedrock_batch_domain::run::{
    Ending, Facts, History, JobProgress, Mode, Pass, Phase, Remainder, RowSelection, RunShape, RunState, Step,
    StepName, Transition, advance, resume,
};
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::postprocess::PostprocessInput;
use rstest::rstest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:bedrock-batch-orchestrator:tickets-7";

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/version_1").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&text(name)).unwrap()
}

/// Returns the passes up to `last`.
fn history(last: u32) -> History {
    let later = |pass| Pass {
        jobs: read(&format!("passes/{pass}/jobs.json")),
        parts: read(&format!("passes/{pass}/parts.json")),
    };
    let first = Pass { jobs: read("jobs.json"), parts: Vec::new() };
    History { passes: std::iter::once(first).chain((1..=last).map(later)).collect() }
}

fn stamp() -> JoinStamp {
    JoinStamp::AfterPass { execution: "tickets-7".to_owned(), pass: 3 }
}

fn state(phase: Phase, pass: u32, round: u32) -> RunState {
    RunState { phase, mode: Mode::Run, pass, round, last_round: 1, remainder: None }
}

#[rstest]
#[case("process_jobs", StepName::ProcessJobs, RunState { remainder: Some(Remainder { pass: 1 }), ..state(Phase::AnswerAndJoin, 0, 0) })]
#[case("answer_on_demand", StepName::AnswerOnDemand, state(Phase::Answer, 1, 0))]
#[case("retry_jobs", StepName::RetryJobs, RunState { remainder: Some(Remainder { pass: 3 }), ..state(Phase::Answer, 2, 1) })]
#[case("join_chunks", StepName::JoinChunks, state(Phase::Join, 3, 1))]
#[case("last_join", StepName::JoinChunks, state(Phase::LastJoin, 3, 1))]
#[case("pivot", StepName::JoinChunks, state(Phase::Pivot, 3, 1))]
#[case("collect", StepName::JoinChunks, RunState { mode: Mode::Collect, ..state(Phase::Join, 3, 0) })]
#[case("finish", StepName::Finish, state(Phase::Finished, 3, 1))]
fn steps_without_a_phase_get_the_correct_one(#[case] name: &str, #[case] step: StepName, #[case] state: RunState) {
    let read: Step = read(&format!("steps/{name}.json"));
    assert_eq!((read.step, read.state), (step, state));
    // Everything that the state machine and functions of version 1 read is still there; the phase is additional.
    let mut written = serde_json::to_value(&read).unwrap();
    let phase = written.as_object_mut().unwrap().remove("phase");
    assert_eq!(written, serde_json::from_str::<Value>(&text(&format!("steps/{name}.json"))).unwrap());
    assert_eq!(phase, Some(serde_json::to_value(state.phase).unwrap()));
}

#[test]
fn a_stored_phase_is_kept_whatever_the_key_of_the_manifest() {
    let mut step: Step = read("steps/last_join.json");
    step.manifest_key = "elsewhere.json".to_owned();
    let again: Step = serde_json::from_value(serde_json::to_value(&step).unwrap()).unwrap();
    assert_eq!(again, step);
}

#[test]
fn the_first_step_of_a_plan_of_version_1_is_unchanged() {
    let plan: Plan = read("plan.json");
    assert_eq!(plan.version, FormatVersion::FIRST);
    let first: Step = read("steps/process_jobs.json");
    assert_eq!(Step::first(&plan, &plan.execution_arn), first);
}

#[test]
fn jobs_and_files_have_the_names_that_version_1_gave_them() {
    let (plan, jobs): (Plan, Vec<JobItem>) = (read("plan.json"), read("jobs.json"));
    let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
    for job in &jobs {
        assert_eq!(job.name, layout.job_name(plan.job_names, &plan.started_at, job.round, job.index));
        assert_eq!(job.input_uri, format!("s3://data/{}", layout.records_key(job.index)));
        assert_eq!(job.output_uri, format!("s3://data/{}", layout.answers_prefix(job.index)));
    }
    let token = "083ba87a3c7d1317f0689b4c74c6eed3c6eb65f194c9ad05d700b575f058fe58";
    assert_eq!(client_request_token(&plan.run_id, &jobs[0].name), token);
}

/// Asserts that every stored member is written with the same value. Functions of version 1 read what is written while a new
/// version is deployed; further members do not disturb them.
fn assert_contains(written: &Value, stored: &Value, path: &str) {
    match (written, stored) {
        (Value::Object(written), Value::Object(stored)) => {
            for (name, value) in stored {
                assert!(written.contains_key(name), "{path}.{name} is not written");
                assert_contains(&written[name], value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(written), Value::Array(stored)) => {
            assert_eq!(written.len(), stored.len(), "{path}");
            for (index, (found, value)) in written.iter().zip(stored).enumerate() {
                assert_contains(found, value, &format!("{path}[{index}]"));
            }
        }
        _ => assert_eq!(written, stored, "{path}"),
    }
}

#[test]
fn a_plan_and_the_manifests_of_jobs_are_written_as_they_were_stored() {
    let (stored, written): (Value, Value) =
        (read("plan.json"), serde_json::to_value(read::<Plan>("plan.json")).unwrap());
    assert_contains(&written, &stored, "plan");
    for name in ["jobs.json", "passes/1/jobs.json", "passes/2/jobs.json", "passes/3/jobs.json"] {
        let written = serde_json::to_value(read::<Vec<JobItem>>(name)).unwrap();
        assert_eq!(written, read::<Value>(name), "{name}");
    }
}

#[rstest]
#[case("run_id", "a b", "the run id is `a b`: is not a valid run id")]
#[case("execution_arn", "arn", "the execution is `arn`: is not the ARN of an execution")]
fn a_plan_or_a_step_with_an_invalid_name_is_refused(#[case] field: &str, #[case] value: &str, #[case] expected: &str) {
    let (mut plan, mut step): (Value, Value) = (read("plan.json"), read("steps/join_chunks.json"));
    plan[field] = json!(value);
    step[field] = json!(value);
    let errors = [serde_json::from_value::<Plan>(plan).unwrap_err(), serde_json::from_value::<Step>(step).unwrap_err()];
    for error in errors {
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[rstest]
#[case("passes/3/chunks.json", "duplicates/tickets-7/0000", "the job name is")]
#[case("passes/3/wide.json", "duplicates/tickets-7/0000", "the job name is")]
#[case("passes/3/last.json", "tickets-0000-427bb497", "the name is")]
fn a_task_with_a_name_of_another_kind_is_refused(#[case] manifest: &str, #[case] name: &str, #[case] expected: &str) {
    let mut task: Value = read::<Vec<Value>>(manifest).pop().unwrap();
    task["name"] = json!(name);
    let error = serde_json::from_value::<JoinTask>(task).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{expected} `{name}`: ")), "{error}");
}

#[test]
fn a_plan_of_a_later_version_is_refused() {
    let mut plan: Value = read("plan.json");
    plan["version"] = json!(99);
    let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
    assert!(error.starts_with("`version` is `99`: must be between 1 and 2"), "{error}");
}

#[test]
fn chunks_are_joined_with_their_jobs() {
    let tasks: Vec<JoinTask> = read("passes/3/chunks.json");
    let [JoinTask::Chunk { chunk: 1, name, attempts, types: None, stamp }] = tasks.as_slice() else {
        panic!("{tasks:?}")
    };
    assert_eq!(name, &read::<Vec<JobItem>>("jobs.json")[1].name);
    assert_eq!(stamp, &self::stamp());
    assert_eq!(attempts, &history(3).attempts_by_chunk()[&1]);
}

#[test]
fn the_last_join_has_chunks_of_other_types_and_files_of_duplicates() {
    let tasks: Vec<JoinTask> = read("passes/3/last.json");
    let expected_types = Some(vec![ColumnType::Text]);
    let [JoinTask::Chunk { chunk: 0, attempts, types, .. }, duplicates] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((attempts.len(), types), (2, &expected_types));
    let name = Layout::duplicates_name(&RunId::parse("tickets-7").unwrap(), 0);
    assert_eq!(duplicates, &JoinTask::Duplicates { file: 0, name, types: expected_types, stamp: stamp() });
}

#[test]
fn wide_rows_are_tasks_of_a_pivot() {
    let tasks: Vec<JoinTask> = read("passes/3/wide.json");
    assert!(tasks.iter().all(|task| matches!(task, JoinTask::Pivot { .. })), "{tasks:?}");
    assert_eq!(tasks.len(), 3);
}

#[rstest]
#[case("passes/3/chunks.json")]
#[case("passes/3/last.json")]
#[case("passes/3/wide.json")]
fn tasks_are_written_so_that_version_1_reads_them(#[case] name: &str) {
    let tasks: Vec<JoinTask> = read(name);
    let written = serde_json::to_value(&tasks).unwrap();
    assert_eq!(serde_json::from_value::<Vec<JoinTask>>(written.clone()).unwrap(), tasks);
    let stored: Vec<Value> = read(name);
    for (written, stored) in written.as_array().unwrap().iter().zip(&stored) {
        for (field, value) in stored.as_object().unwrap() {
            // Version 1 ignored the jobs and the stamp of tasks for wide rows.
            if stored["widen"] == json!(false) || !["jobs", "stamp"].contains(&field.as_str()) {
                assert_eq!(&written[field], value, "{field}");
            }
        }
        assert!(written["task"].is_string() && written["version"] == json!(2));
    }
}

#[test]
fn a_job_of_the_first_pass_is_joined_as_its_chunk() {
    let job: Value = read::<Vec<Value>>("jobs.json").remove(1);
    let input = json!({"run_id": "tickets-7", "execution_arn": EXECUTION, "job": job});
    let input: PostprocessInput = serde_json::from_value(input).unwrap();
    let name: JobName = job["name"].as_str().unwrap().parse().unwrap();
    let attempt = ChunkAttempt { index: 1, name: name.clone(), pass: 0, lane: Lane::Batch, records: 200 };
    let attempts = vec![attempt];
    let expected = JoinTask::Chunk { chunk: 1, name, attempts, types: None, stamp: JoinStamp::FirstJob };
    assert_eq!(input.task, expected);
}

#[rstest]
#[case(json!({"run_id": "r", "execution_arn": EXECUTION}))]
#[case(json!({"run_id": "r", "execution_arn": EXECUTION, "job": null, "chunk": null}))]
#[case(json!({
    "run_id": "r", "execution_arn": EXECUTION, "job": read::<Vec<Value>>("jobs.json")[0],
    "chunk": read::<Vec<Value>>("passes/3/chunks.json")[0],
}))]
fn an_input_without_exactly_one_task_is_refused(#[case] input: Value) {
    let error = serde_json::from_value::<PostprocessInput>(input).unwrap_err().to_string();
    assert_eq!(error, "the input of postprocess must have either `job` or `chunk`");
}

#[test]
fn counts_contain_the_stamp_of_their_join() {
    assert_eq!(read::<ChunkCounts>("counts/first_job.json").stamp, JoinStamp::FirstJob);
    assert_eq!(read::<ChunkCounts>("counts/join.json").stamp, stamp());
    for name in ["counts/first_job.json", "counts/join.json"] {
        let written = serde_json::to_value(read::<ChunkCounts>(name)).unwrap();
        for (field, value) in read::<Value>(name).as_object().unwrap() {
            assert_eq!(&written[field], value, "the stored form of {field} is the same");
        }
    }
}

/// Returns the progress of a run whose jobs up to this number are over.
fn over_up_to(last: Option<u32>) -> impl Fn(&JobName) -> JobProgress {
    let history = history(3);
    let numbers = (0..=3)
        .flat_map(|pass| history.jobs_of_pass(pass).map(|(job, _)| (job.name.clone(), job.index)).collect::<Vec<_>>());
    let numbers: HashMap<JobName, u32> = numbers.collect();
    move |name| {
        let is_over = last.is_some_and(|last| numbers[name] <= last);
        JobProgress { has_begun: is_over, is_over }
    }
}

#[rstest]
#[case::nothing_begun(1, None, Phase::AnswerAndJoin, 0, vec![0, 1], Some(1))]
#[case::in_the_first_pass(1, Some(0), Phase::AnswerAndJoin, 0, vec![1], Some(1))]
#[case::the_small_chunk_waits(1, Some(1), Phase::Answer, 0, vec![], Some(1))]
#[case::the_small_chunk_is_answered(1, Some(2), Phase::Answer, 1, vec![], None)]
#[case::in_the_round(3, Some(2), Phase::Answer, 2, vec![3], Some(3))]
#[case::the_remainder_waits(3, Some(3), Phase::Answer, 2, vec![], Some(3))]
#[case::all_over(3, Some(4), Phase::Answer, 3, vec![], None)]
fn a_run_is_resumed_at_the_point_where_it_ended(
    #[case] written: u32,
    #[case] over: Option<u32>,
    #[case] phase: Phase,
    #[case] pass: u32,
    #[case] open: Vec<u32>,
    #[case] remainder: Option<u32>,
) {
    let plan: Plan = read("plan.json");
    let history = history(written);
    let resumption = resume(plan.lane, plan.request.invocation.max_retry_rounds, &history, over_up_to(over));
    let state = resumption.state;
    assert_eq!((state.phase, state.pass, state.remainder), (phase, pass, remainder.map(|pass| Remainder { pass })));
    assert_eq!(resumption.open_jobs.iter().map(|job| job.index).collect::<Vec<_>>(), open);
    assert_eq!(state.last_round, state.round + 1, "one more round is allowed");
}

#[test]
fn a_resumed_run_goes_through_all_its_phases() {
    let plan: Plan = read("plan.json");
    let history = history(3);
    let resumption = resume(plan.lane, plan.request.invocation.max_retry_rounds, &history, over_up_to(Some(4)));
    let (open, answered): (ChunkCounts, ChunkCounts) = (read("counts/first_job.json"), read("counts/join.json"));
    let mut facts = Facts {
        shape: RunShape::from(&plan),
        history: &history,
        counts: BTreeMap::from([(0, &open), (1, &answered)]),
        fates: HashMap::new(),
    };
    let Transition::Join(chunks) = advance(&resumption.state, &facts) else { panic!("the last pass is not joined") };
    // Chunk 2 was never counted, and chunk 1 had the rows of the last pass.
    assert_eq!(chunks.into_iter().collect::<Vec<_>>(), [1, 2]);
    facts.counts.insert(2, &answered);
    let state = resumption.state.joining();
    let Transition::NewPass(new) = advance(&state, &facts) else { panic!("70 rows of chunk 0 are unanswered") };
    assert_eq!((new.selection, new.lane, new.round), (RowSelection::All, Lane::OnDemand, 2));
    assert_eq!(new.rows, BTreeMap::from([(0, 70)]));
    let state = RunState { round: state.last_round, ..state };
    let Transition::End(ending) = advance(&state, &facts) else { panic!("no rounds are left") };
    assert!(matches!(ending, Ending::LastJoin { .. }), "there is a file of duplicates");
    assert_eq!(advance(&state.ending(&ending), &facts), Transition::End(Ending::Finish));
}
