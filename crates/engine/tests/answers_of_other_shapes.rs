//! Lines of jobs' outputs of all shapes that were seen: no paid answer is lost for one odd field of its line, and each row without
//! an answer says why. The files are in `tests/fixtures/answers`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads files")]

use crate::small_run::{job_answers, join_chunk, nova, output, parquet, prepare, texts};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use bedrock_batch_domain::input::{Inference, RetryOn};
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::row_error::RowErrorCode;
use bedrock_batch_engine::postprocess::{JoinJob, Joined, PromptsRead, Reading};
use std::collections::BTreeMap;
use std::path::Path;

const ALL_REASONS: [RetryOn; 3] = [RetryOn::Missing, RetryOn::Error, RetryOn::Unparsed];

fn fixture(name: &str) -> String {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/answers")).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Joins these output files to `rows` rows, each sent by itself.
fn joined(family: Family, rows: usize, files: &[String], folder: &Path) -> Joined {
    let csv: String = std::iter::once("text\n".to_owned()).chain((0..rows).map(|row| format!("{row}\n"))).collect();
    prepare(&csv, rows as u64, folder);
    let inference = Inference { dimensions: family.is_embedding().then_some(2), ..Inference::default() };
    let prompt = Prompt::parse("description = \"d\"\ntemplate = \"{text}\"").unwrap();
    let prompts = PromptsRead::new(&PromptPlan::single("p", prompt), &inference).unwrap();
    let prompts = prompts.with_embeddings_of(family, &inference);
    let outputs = parquet();
    let job = JoinJob::new(family, Reading { retry_on: &ALL_REASONS, prompts: &prompts }, &outputs);
    join_chunk(&job, [job_answers(0, 1000, files.to_vec())], folder)
}

/// Returns for each row its response or its error, whichever it has.
fn outcomes(folder: &Path) -> Vec<String> {
    let batch = output(folder);
    let (responses, errors) = (texts(&batch, "response"), texts(&batch, "error"));
    let outcome = |(response, error): (Option<String>, Option<String>)| {
        error.map_or(response, |error| Some(format!("! {error}")))
    };
    responses.into_iter().zip(errors).map(|pair| outcome(pair).unwrap_or_default()).collect()
}

#[test]
fn no_answer_is_lost_for_an_odd_field_of_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let joined = joined(Family::AnthropicMessages, 27, &[fixture("anthropic.jsonl.out")], folder.path());
    let expected = [
        "after thinking",
        "one two",
        "! the model returned no answer (stop_reason max_tokens)",
        "shuffled: the fourth row comes first",
        "! the model returned no answer (stop_reason end_turn)",
        "grin \u{FFFD} done",
        "! the model declined to answer (stop_reason refusal)",
        "! the model returned no answer (stop_reason tool_use)",
        "! the model returned no answer (stop_reason end_turn)",
        "a block without type",
        "! the model returned no answer (stop_reason end_turn)",
        "a plain string",
        "modelOutput is JSON within a string",
        "! the model refused the record: 400: messages: text content blocks must be non-empty",
        "! the model refused the record: 429: Too many requests, please wait before trying again.",
        "! the model refused the record: 500: ",
        "! the model refused the record: unknown: internal",
        "! the model refused the record: 424: x",
        "! the job's output holds neither an answer nor an error for this record",
        "first",
        "new stop reason",
        "usage is odd",
        "usage is a float",
        "cut off in the middle of a sent",
        "cited",
        "! nothing came",
        // Its line is cut off.
        "! nothing came",
    ];
    let found = outcomes(folder.path());
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);

    let sent_again: Vec<usize> = (0..27).filter(|row| joined.unanswered[*row]).collect();
    assert_eq!(sent_again, [2, 4, 7, 8, 10, 14, 15, 16, 17, 18, 25, 26], "neither the refusal (6) nor the 400 (13)");
    assert_eq!(joined.counts.failed_codes[&RowErrorCode::AnswerRefused], 1);
    assert_eq!(joined.counts.failed_codes[&RowErrorCode::EmptyAnswer], 5);
    let warnings = [
        ("answers cut off at the token limit: raise `max_tokens`", 2),
        ("answers to records that were not asked", 1),
        ("repeated answers to one record", 1),
        ("unreadable lines in the job's output", 2),
    ];
    assert_eq!(joined.counts.warnings, BTreeMap::from(warnings.map(|(words, count)| (words.to_owned(), count))));
}

#[test]
fn tokens_are_counted_whatever_else_is_odd() {
    let folder = tempfile::tempdir().unwrap();
    let joined = joined(Family::AnthropicMessages, 27, &[fixture("anthropic.jsonl.out")], folder.path());
    let batch = output(folder.path());
    let tokens = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_primitive::<UInt64Type>().clone();
        column.is_valid(row).then(|| column.value(row))
    };
    for row in [0, 2, 4, 5, 6, 7, 8, 9, 12, 22] {
        assert_eq!((tokens("input_tokens", row), tokens("output_tokens", row)), (Some(11), Some(5)), "row {row}");
    }
    assert_eq!((tokens("input_tokens", 21), tokens("output_tokens", 21)), (None, Some(5)), "a null, and a text");
    assert_eq!((tokens("input_tokens", 11), tokens("output_tokens", 11)), (None, None), "no usage");
    // 16 lines have both counts, one has only that of the output, two have none.
    let usage = &joined.counts.usage[0];
    assert_eq!((usage.answers, usage.tokens.input, usage.tokens.output), (19, 16 * 11, 17 * 5));
}

#[test]
fn files_with_a_byte_order_mark_and_other_line_ends_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("anthropic_crlf_bom.jsonl.out");
    assert!(file.starts_with('\u{FEFF}') && file.contains("\r\n"));
    let joined = joined(Family::AnthropicMessages, 4, &[file, "\u{FEFF}".to_owned()], folder.path());
    assert_eq!(outcomes(folder.path())[..2], ["after thinking", "one two"]);
    assert_eq!(outcomes(folder.path())[3], "shuffled: the fourth row comes first");
    assert_eq!((joined.counts.warnings.len(), joined.jobs[0].lines), (0, 3));
}

#[test]
fn answers_through_converse_are_read() {
    let folder = tempfile::tempdir().unwrap();
    joined(Family::Converse, 11, &[fixture("converse.jsonl.out"), nova(10, "plain")], folder.path());
    let expected = [
        "answer",
        "<reasoning>all of it",
        "<thinking>hm</thinking>\n{\"a\": 1}",
        "! the model declined to answer (stop_reason content_filtered)",
        "! the model declined to answer (stop_reason guardrail_intervened)",
        "! the model returned no answer (stop_reason tool_use)",
        "only here",
        "! the model returned no answer (stop_reason end_turn)",
        "! the model returned no answer (stop_reason end_turn)",
        "! the answer does not have the format of this model's family",
        "plain",
    ];
    let found = outcomes(folder.path());
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn an_embedding_of_another_form_is_an_error_of_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let float_by_type =
        r#"{"recordId":"r000000006","modelOutput":{"embeddingsByType":{"float":[0.25,1]},"inputTextTokenCount":3}}"#;
    let short = r#"{"recordId":"r000000007","modelOutput":{"embedding":[1],"inputTextTokenCount":3}}"#;
    let files = [fixture("titan.jsonl.out"), format!("{float_by_type}\n{short}\n")];
    let joined = joined(Family::TitanTextEmbeddings, 8, &files, folder.path());
    let batch = output(folder.path());
    let expected = [
        None,
        Some("the model returned no answer (stop_reason not given)"),
        Some("the embedding has 0 numbers: must have 2"),
        Some("the embedding has a number that no 32-bit float holds"),
        Some(
            "the model refused the record: 400: Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.",
        ),
        Some(
            "the model refused the record: 400: 400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        ),
        None,
        Some("the embedding has 1 numbers: must have 2"),
    ];
    assert_eq!(texts(&batch, "error"), expected.map(|error| error.map(str::to_owned)));
    assert_eq!(joined.counts.failed_codes[&RowErrorCode::EmbeddingInvalid], 3);
    assert_eq!(joined.counts.answered, 2);
}

#[test]
fn a_text_of_spaces_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [nova(0, "plain"), nova(1, " \\n\\u00a0"), nova(2, "")];
    let joined = joined(Family::Nova, 3, &[lines.join("\n")], folder.path());
    let none = "! the model returned no answer (stop_reason end_turn)";
    assert_eq!(outcomes(folder.path()), ["plain", none, none]);
    assert_eq!((joined.counts.answered, joined.unanswered), (1, vec![false, true, true]));
}
