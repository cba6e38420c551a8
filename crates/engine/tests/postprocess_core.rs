//! Answers in any order, some repeated and some missing: every row is written once, answered or with its reason.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::small_run::{job_answers, join_chunk, nova, output, parquet, prepare, texts};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::reference::{Reference, ReferenceSource};
use bedrock_batch_domain::row_error::RowErrorCode;
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::postprocess::{JobAnswers, JoinJob, PromptsRead, Reading, copy_unanswered};
use proptest::prelude::*;
use std::path::Path;

fn plan_of(toml: &str) -> PromptPlan {
    PromptPlan::single("p", Prompt::parse(toml).unwrap())
}

fn joined(family: Family, prefill: &str, answers: &[String], folder: &Path) -> ChunkCounts {
    let outputs = [(OutputFormat::Parquet, "out.parquet".to_owned()), (OutputFormat::Csv, "out.csv".to_owned())];
    let retry_on = [RetryOn::Missing, RetryOn::Error];
    let inference = Inference { prefill: Some(prefill.to_owned()), ..Inference::default() };
    let prompts = PromptsRead::new(&plan_of("description = \"d\"\ntemplate = \"{text}\""), &inference).unwrap();
    let job = JoinJob::new(family, Reading { retry_on: &retry_on, prompts: &prompts }, &outputs);
    join_chunk(&job, [job_answers(0, 1000, answers.to_vec())], folder).counts
}

#[test]
fn invalid_lines_never_stop_a_run_and_every_row_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    prepare(
        &format!("id,text,response\n0,a,x\n1,b,y\n2,{},z\n3,d,w\n4,e,v\n5,f,u\n", "c".repeat(2000)),
        6,
        folder.path(),
    );
    let refused = r#"{"recordId":"r000000003","error":{"errorCode":400,"errorMessage":"bad request"}}"#;
    let no_text = r#"{"recordId":"r000000005","modelOutput":{"output":{"message":{"content":[]}},"stopReason":"content_filtered","usage":{"inputTokens":9,"outputTokens":0}}}"#;
    let answers = [
        nova(1, "one"),
        refused.into(),
        "{broken".into(),
        nova(77, "?"),
        nova(1, "again"),
        nova(2, "?"),
        no_text.into(),
        String::new(),
        nova(0, "zero"),
    ]
    .join("\n");
    let counts = joined(Family::Nova, "", &[answers], folder.path());
    let batch = output(folder.path());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&batch, "response"), [some("zero"), some("one"), None, None, None, None]);
    let errors = texts(&batch, "error");
    assert_eq!(errors[..2], [None, None]);
    assert!(errors[2].as_deref().unwrap().starts_with("not sent: record too large"), "{errors:?}");
    assert_eq!(errors[3], some("the model refused the record: 400: bad request"));
    assert_eq!(errors[4], some("nothing came"));
    assert_eq!(errors[5], some("the model declined to answer (stop_reason content_filtered)"));
    assert_eq!(texts(&batch, "input_response"), ["x", "y", "z", "w", "v", "u"].map(some), "the user's column is kept");
    assert_eq!((counts.rows, counts.answered, counts.failed.values().sum::<u64>()), (6, 2, 4));
    assert_eq!((counts.usage[0].tokens.input, counts.usage[0].tokens.output), (3 + 3 + 9, 2 + 2));
    let reasons: Vec<&str> = counts.failed.keys().map(String::as_str).collect();
    assert_eq!(
        reasons,
        ["nothing", "record too large for the model", "refused by the model (400)", "the model declined to answer"]
    );
    let codes =
        [RowErrorCode::AnswerRefused, RowErrorCode::ModelRefused, RowErrorCode::RecordTooLarge, RowErrorCode::Unknown];
    assert_eq!(counts.failed_codes, codes.map(|code| (code, 1)).into());
    assert_eq!(counts.warnings.values().copied().collect::<Vec<_>>(), [2, 1, 1], "{:?}", counts.warnings);
    let tokens = batch.column_by_name("input_tokens").unwrap().as_primitive::<UInt64Type>().clone();
    assert_eq!((tokens.value(0), tokens.is_null(2)), (3, true));
}

#[test]
fn an_answer_takes_precedence_over_an_error_of_the_same_record() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n", 1, folder.path());
    let error = r#"{"recordId":"r000000000","error":{"errorCode":500}}"#.to_owned();
    joined(Family::Nova, "", &[error, nova(0, "yes")], folder.path());
    assert_eq!(texts(&output(folder.path()), "response"), [Some("yes".to_owned())]);
}

#[test]
fn the_prefill_is_prepended_to_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n", 1, folder.path());
    joined(Family::Nova, "{", &[nova(0, "}")], folder.path());
    assert_eq!(texts(&output(folder.path()), "response"), [Some("{}".to_owned())]);
}

#[test]
fn embeddings_are_lists_in_parquet_and_json_in_csv() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n1,b\n", 2, folder.path());
    let answer = r#"{"recordId":"r000000001","modelOutput":{"embedding":[0.5,-0.25],"inputTextTokenCount":4}}"#;
    joined(Family::TitanTextEmbeddings, "", &[answer.to_owned()], folder.path());
    let batch = output(folder.path());
    assert_eq!(texts(&batch, "embedding"), [None, Some("[0.5,-0.25]".to_owned())]);
    assert!(batch.column_by_name("response").is_none());
    let csv = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(csv.contains("r000000001,1,b,\"[0.5,-0.25]\",,,4,"), "{csv}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn answers_join_their_rows_in_any_order(order in Just((0..60usize).collect::<Vec<_>>()).prop_shuffle(), kept in 0usize..60) {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<String> = (0..60).map(|n| format!("{n},t{n}")).collect();
        prepare(&format!("id,text\n{}", rows.join("\n")), 60, folder.path());
        let kept = &order[..kept];
        let answers: Vec<String> = kept.iter().map(|n| nova(*n, &format!("answer {n}"))).collect();
        let counts = joined(Family::Nova, "", &[answers.join("\n")], folder.path());
        prop_assert_eq!(counts.answered, kept.len() as u64);
        let batch = output(folder.path());
        prop_assert_eq!(batch.num_rows(), 60);
        let ids = texts(&batch, "id");
        for (row, response) in texts(&batch, "response").into_iter().enumerate() {
            prop_assert_eq!(ids[row].clone(), Some(row.to_string()));
            prop_assert_eq!(response, kept.contains(&row).then(|| format!("answer {row}")));
        }
    }
}

fn refused(id: usize, code: u16) -> String {
    format!(r#"{{"recordId":"r{id:09}","error":{{"errorCode":{code},"errorMessage":"no"}}}}"#)
}

fn silent(id: usize) -> String {
    format!(
        r#"{{"recordId":"r{id:09}","modelOutput":{{"output":{{"message":{{"content":[]}}}},"usage":{{"inputTokens":1}}}}}}"#
    )
}

/// Row of the output: answer, error, attempts.
type RowOut = (Option<String>, Option<String>, u32);

/// Joins the answers of several jobs, and returns counts, unanswered lines and rows.
fn joined_jobs(
    retry_on: &[RetryOn],
    jobs: Vec<JobAnswers<'static>>,
    folder: &Path,
) -> (ChunkCounts, Vec<bool>, Vec<RowOut>) {
    let (prompts, outputs) = (PromptsRead::default(), parquet());
    let job = JoinJob::new(Family::Nova, Reading { retry_on, prompts: &prompts }, &outputs);
    let joined = join_chunk(&job, jobs, folder);
    let batch = output(folder);
    let attempts = batch.column_by_name("attempts").unwrap().as_primitive::<UInt32Type>().clone();
    let rows = texts(&batch, "response").into_iter().zip(texts(&batch, "error")).zip(attempts.values());
    let rows = rows.map(|((answer, error), attempts)| (answer, error, *attempts)).collect();
    (joined.counts, joined.unanswered, rows)
}

#[test]
fn a_later_round_answers_rows_that_an_earlier_one_could_not() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text\na\nb\nc\nd\ne\n", 5, folder.path());
    let first = [nova(0, "zero"), refused(1, 429), refused(2, 400), refused(4, 500)].join("\n");
    // Rows 1, 3 and 4 were sent again, in two jobs of one pass, the second of which also has a row of another chunk.
    let jobs = vec![
        job_answers(0, 5, vec![first]),
        job_answers(1, 2, vec![[nova(3, "three"), refused(1, 429)].join("\n")]),
        job_answers(1, 1, vec![nova(77, "of another chunk")]),
    ];
    let (counts, unanswered, rows) = joined_jobs(&[RetryOn::Missing, RetryOn::Error], jobs, folder.path());
    let some = |text: &str| Some(text.to_owned());
    let refused = |code: u16| Some(format!("the model refused the record: {code}: no"));
    assert_eq!(
        rows,
        [
            (some("zero"), None, 1),
            (None, refused(429), 2),
            (None, refused(400), 1),
            (some("three"), None, 2),
            // It got no line the second time, which is the latest reason.
            (None, some("nothing came"), 2),
        ]
    );
    assert_eq!(unanswered, [false, true, false, false, true], "the record with the permanent error is not sent again");
    assert_eq!((counts.answered, counts.unanswered, counts.retried), (2, 2, 3));
    assert!(counts.warnings.is_empty(), "{:?}", counts.warnings);
}

#[test]
fn unparsed_answers_are_retried_on_request_and_replaced_by_better_ones() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text\na\nb\n", 2, folder.path());
    let first = || job_answers(0, 2, vec![[silent(0), silent(1)].join("\n")]);
    let default = [RetryOn::Missing, RetryOn::Error];
    let (counts, unanswered, _) = joined_jobs(&default, vec![first()], folder.path());
    assert_eq!((counts.unanswered, unanswered), (0, vec![false, false]));
    let all = [RetryOn::Missing, RetryOn::Error, RetryOn::Unparsed];
    let again = job_answers(1, 2, vec![[nova(0, "better"), refused(1, 500)].join("\n")]);
    let (counts, unanswered, rows) = joined_jobs(&all, vec![first(), again], folder.path());
    assert_eq!(rows[0], (Some("better".to_owned()), None, 2));
    assert!(
        rows[1].1.as_deref().unwrap().starts_with("the model returned no answer"),
        "an answer takes precedence over an error"
    );
    assert_eq!(unanswered, [false, true]);
    // Every answer is charged, even if it was replaced.
    assert_eq!((counts.usage[0].answers, counts.usage[0].tokens.input), (3, 1 + 1 + 3));
}

#[test]
fn a_job_that_bedrock_did_not_accept_is_not_an_attempt() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text\na\nb\n", 2, folder.path());
    let mut refused = job_answers(0, 2, vec![]);
    refused.job.was_sent = false;
    let mut on_demand = job_answers(1, 2, vec![nova(0, "zero").replace("\"modelInput\":{}", "\"modelId\":\"other\"")]);
    on_demand.job.lane = Lane::OnDemand;
    let (counts, _, rows) = joined_jobs(&[RetryOn::Missing], vec![refused, on_demand], folder.path());
    assert_eq!(rows[0], (Some("zero".to_owned()), None, 1));
    assert_eq!((counts.usage[0].lane, counts.usage[0].model_id.as_str()), (Lane::OnDemand, "other"));
    assert_eq!(texts(&output(folder.path()), "model_id"), [Some("other".to_owned()), None]);
}

#[test]
fn the_unanswered_records_are_copied_as_they_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    prepare(&format!("text\na\n{}\nc\nd\n", "b".repeat(2000)), 4, folder.path());
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    let jobs = vec![job_answers(0, 4, vec![nova(2, "c")])];
    let (_, unanswered, _) = joined_jobs(&[RetryOn::Missing], jobs, folder.path());
    assert_eq!(unanswered, [true, false, true], "the second row was never sent");
    let records = std::fs::read(folder.path().join(layout.records_key(0))).unwrap();
    let sink = FolderSink { folder: folder.path().to_owned() };
    copy_unanswered(&records[..], &unanswered, &sink, "left.jsonl").unwrap();
    let lines = String::from_utf8(records).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let left = std::fs::read_to_string(folder.path().join("left.jsonl")).unwrap();
    assert_eq!(left, format!("{}\n{}\n", lines[0], lines[2]));
    let too_many = copy_unanswered(&b"{}\n"[..], &unanswered, &sink, "left.jsonl").unwrap_err();
    assert!(too_many.to_string().contains("fewer records than rows"), "{too_many}");
}

#[test]
fn fields_of_answers_become_columns_of_the_given_types() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text,size\na,x\nb,y\nc,z\nd,w\n", 4, folder.path());
    let plan = plan_of(
        "description = \"d\"\ntemplate = \"{text}\"\n[output_schema]\ntype = \"json\"\n\
         [output_schema.fields]\nsize = \"$.size\"\ntags = \"$.tags[*]\"",
    );
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let answer = |id: usize, text: &str| nova(id, &text.replace('"', "\\\""));
    let answers = [
        answer(0, r#"{"size": 1, "tags": ["x", "y"]} as requested"#),
        answer(1, r#"{"size": 2, "tags": []}"#),
        answer(2, "no fields at all"),
    ];
    let outputs = parquet();
    let joined = |types| {
        let reading = Reading { retry_on: &[RetryOn::Unparsed], prompts: &prompts };
        let job = JoinJob { types, ..JoinJob::new(Family::Nova, reading, &outputs) };
        join_chunk(&job, [job_answers(0, 4, vec![answers.join("\n")])], folder.path())
    };
    let own = joined(None);
    let batch = output(folder.path());
    let sizes = batch.column_by_name("size").unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!(sizes.iter().collect::<Vec<_>>(), [Some(1), Some(2), None, None]);
    let tags = batch.column_by_name("tags").unwrap().as_list::<i32>();
    assert_eq!(tags.value(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("x"), Some("y")]);
    assert_eq!(
        texts(&batch, "input_size"),
        ["x", "y", "z", "w"].map(|text| Some(text.to_owned())),
        "the user's column is kept"
    );
    assert_eq!(texts(&batch, "response")[2].as_deref(), Some("no fields at all"));
    assert!(texts(&batch, "error")[2].as_deref().unwrap().contains("no JSON"));
    assert_eq!((own.counts.answered, own.unanswered), (2, vec![false, false, true, false]));
    let typed = joined(Some([ColumnType::Text, ColumnType::Text].as_slice()));
    assert_eq!(texts(&output(folder.path()), "size"), [Some("1".into()), Some("2".into()), None, None]);
    assert_eq!(typed.counts.types, [ColumnType::Text, ColumnType::Text]);
    assert_eq!(own.counts.types, [ColumnType::Integer, ColumnType::List]);
}

#[test]
fn repaired_answers_and_mixed_types_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text\na\nb\nc\nd\ne\n", 5, folder.path());
    let plan = plan_of(
        "description = \"d\"\ntemplate = \"{text}\"\n[output_schema]\ntype = \"json\"\n\
         fields = { score = \"$.score\", why = \"$.why\" }",
    );
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let answer = |id: usize, text: &str| nova(id, &text.replace('"', "\\\""));
    let answers = [
        answer(0, r#"{"score": 0.9, "why": "w"}"#),
        answer(1, "{'score': 1, 'why': None,}"),
        answer(2, r#"{"score": "high"}"#),
        answer(3, "{'score': 1,234}"),
        answer(4, r#"{"score": 0.5"#),
    ];
    let outputs = parquet();
    let job = JoinJob::new(Family::Nova, Reading { retry_on: &[RetryOn::Unparsed], prompts: &prompts }, &outputs);
    let joined = join_chunk(&job, [job_answers(0, 5, vec![answers.join("\n")])], folder.path());
    let batch = output(folder.path());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&batch, "score"), [some("0.9"), some("1"), some("high"), None, some("0.5")]);
    assert_eq!(texts(&batch, "response")[1], some("{'score': 1, 'why': None,}"), "the answer as it was");
    assert_eq!(joined.unanswered, [false, false, false, true, false]);
    assert_eq!((joined.counts.answered, joined.counts.repaired), (4, 2));
    let values: Vec<[u64; 4]> = joined.counts.values.iter().map(|counts| (*counts).into()).collect();
    assert_eq!(values, [[0, 3, 1, 0], [0, 0, 1, 0]], "numbers and texts of each field");
}

#[test]
fn fields_are_held_to_the_values_of_a_reference() {
    let folder = tempfile::tempdir().unwrap();
    prepare("text\na\nb\nc\nd\n", 4, folder.path());
    let mut plan = plan_of(
        "description = \"d\"\ntemplate = \"{text}\"\n[output_schema]\ntype = \"json\"\nfields = { codes = \"$.codes\" }\n\
         [allowed_values]\ncodes = \"reference.codes.Code\"",
    );
    let source = ReferenceSource { name: "codes".to_owned(), uri: "s3://b/c.csv".to_owned(), etag: String::new() };
    plan.references = vec![Reference::read(source, b"Code,Term\nA01,Leak\nB02,Break\n").unwrap()];
    // As it is read from the plan.
    let plan: PromptPlan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let answer = |id: usize, text: &str| nova(id, &text.replace('"', "\\\""));
    let answers = [
        answer(0, r#"{"codes": ["A01", "B02"]}"#),
        answer(1, r#"{"codes": [" a01", "B02"]}"#),
        answer(2, r#"{"codes": ["A01", "C03"]}"#),
        answer(3, r#"{"codes": null}"#),
    ];
    let outputs = parquet();
    let job = JoinJob::new(Family::Nova, Reading { retry_on: &[RetryOn::Unparsed], prompts: &prompts }, &outputs);
    let joined = join_chunk(&job, [job_answers(0, 4, vec![answers.join("\n")])], folder.path());
    let batch = output(folder.path());
    let codes = batch.column_by_name("codes").unwrap().as_list::<i32>();
    let texts_of =
        |row: usize| codes.value(row).as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        (texts_of(0), texts_of(1)),
        (vec!["A01".to_owned(), "B02".to_owned()], vec!["A01".to_owned(), "B02".to_owned()])
    );
    assert_eq!((codes.is_null(2), codes.is_null(3)), (true, true));
    let error = "the field `codes` of the answer has a value that is not in `reference.codes.Code`";
    assert_eq!(texts(&batch, "error"), [None, None, Some(error.to_owned()), None]);
    assert!(texts(&batch, "response")[2].as_deref().unwrap().contains("C03"), "the answer itself is kept");
    assert_eq!((joined.counts.answered, joined.unanswered), (3, vec![false, false, true, false]));
    assert_eq!(joined.counts.failed_codes, [(RowErrorCode::ValueNotAllowed, 1)].into());
    assert_eq!(joined.counts.changed, [("codes".to_owned(), 1)].into());
}
