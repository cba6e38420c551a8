use crate::objects::MemorySink;
use crate::postprocess::{JobAnswers, JobAttempt, JoinJob, PromptsRead, Reading, join};
use crate::preprocess::chunks::{ChunkWriteSpec, Written, count_lines, write_chunks};
use crate::preprocess::prompting::{PromptedRows, RowPrompter, numbered};
use crate::preprocess::view::View;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use bedrock_batch_domain::chunk_plan::{ChunkLimits, Chunker};
use bedrock_batch_domain::columns::{Column, INTERNAL, NOT_SENT, PROMPT, RECORD_ID, REQUEST};
use bedrock_batch_domain::input::{Inference, OutputFormat};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::{Choice, ExpandedLayout, NamedPrompt, Prompt, PromptPlan};
use bedrock_batch_domain::record_id::RequestId;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const KINDS: [&str; 4] = ["a", "b", "both", "none"];

/// Returns a plan with two prompts; of a row of kind `both`, the first one or both, and of `none`, none.
fn plan(expanded: bool) -> PromptPlan {
    let named = |id: &str| {
        let prompt = json!({"description": "d", "template": format!("{id}:\n{{rows}}\n."), "rows": {"template": "{row_id}={text}"}});
        NamedPrompt { id: id.into(), prompt: serde_json::from_value::<Prompt>(prompt).unwrap() }
    };
    let choice = if expanded {
        let by_value = [("a", vec![0]), ("b", vec![1]), ("both", vec![1, 0])];
        let by_value = by_value.map(|(value, prompts)| (value.to_owned(), prompts)).into();
        Choice::Expanded { column: "kind".into(), by_value, default: None, layout: ExpandedLayout::Long }
    } else {
        let by_value = [("a", 0), ("b", 1), ("both", 0)].map(|(value, prompt)| (value.to_owned(), prompt)).into();
        let columns = vec!["kind".into()];
        Choice::Mapped { columns, by_value, default: None, by_name: false, unusable: BTreeMap::new() }
    };
    PromptPlan { choice, prompts: vec![named("a"), named("b")], ..PromptPlan::default() }
}

fn writers(plan: &PromptPlan, per_request: usize) -> Vec<RecordWriter> {
    let writer = |named: &NamedPrompt| {
        let row = named.prompt.rows.as_ref().unwrap().parsed_template().unwrap();
        let writer = RecordWriter::new(Family::Nova, &row, &Inference::default(), None, None, false);
        writer.of_rows(&named.prompt.parsed_template().unwrap(), per_request)
    };
    plan.prompts.iter().map(writer).collect()
}

fn batch(rows: &[(usize, String)]) -> RecordBatch {
    let kinds: StringArray = rows.iter().map(|(kind, _)| Some(KINDS[*kind])).collect();
    let texts: StringArray = rows.iter().map(|(_, text)| Some(text.as_str())).collect();
    let columns: [(&str, ArrayRef); 2] = [("kind", Arc::new(kinds)), ("text", Arc::new(texts))];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn layout() -> Layout {
    Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap())
}

/// Rows of one chunk, with the requests that they are sent in.
struct Chunk {
    lines: Vec<(String, String, usize)>,
    ids: Vec<String>,
    prompts: Vec<Option<String>>,
    texts: Vec<String>,
    requests: Vec<Option<u64>>,
    not_sent: Vec<bool>,
}

fn chunk(sink: &MemorySink, index: u32) -> Chunk {
    let lines = String::from_utf8(sink.get(&layout().records_key(index)).unwrap().to_vec()).unwrap();
    let line = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let text = record["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
        (record["recordId"].as_str().unwrap().to_owned(), text, line.len() + 1)
    };
    let lines = lines.lines().map(line).collect();
    let rows = sink.get(&layout().rows_key(index)).unwrap();
    let batches: Vec<RecordBatch> =
        ParquetRows::open_of_run(rows, "rows", None).unwrap().collect::<Result<_, _>>().unwrap();
    let column = |name: &str| {
        let cells = batches.iter().flat_map(|batch| batch.column_by_name(name).unwrap().as_string::<i32>().iter());
        cells.map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()
    };
    let requests = batches.iter().flat_map(|batch| batch.column_by_name(REQUEST).unwrap().as_primitive::<UInt64Type>());
    Chunk {
        lines,
        ids: column(RECORD_ID).into_iter().flatten().collect(),
        prompts: column(PROMPT),
        texts: column("text").into_iter().flatten().collect(),
        requests: requests.collect(),
        not_sent: column(NOT_SENT).iter().map(Option::is_some).collect(),
    }
}

/// Checks that the lines of a chunk are the requests of its rows, and returns the number of rows that are sent.
fn check_requests(chunk: &Chunk, per_request: usize, max_bytes: u64) -> Result<usize, TestCaseError> {
    let mut by_request: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, request) in chunk.requests.iter().enumerate() {
        if let Some(request) = request.filter(|_| !chunk.not_sent[row]) {
            by_request.entry(request).or_default().push(row);
        }
    }
    prop_assert_eq!(chunk.lines.len(), by_request.len());
    let firsts: Vec<usize> = by_request.values().map(|rows| rows[0]).collect();
    prop_assert!(firsts.is_sorted(), "lines are in the order of their first rows");
    for ((id, text, bytes), rows) in chunk.lines.iter().zip(by_request.values()) {
        prop_assert!(rows.len() <= per_request && *bytes as u64 <= max_bytes);
        prop_assert_eq!(RequestId::parse(id), Some(RequestId { first: &chunk.ids[rows[0]], rows: rows.len() }));
        let prompt = chunk.prompts[rows[0]].clone().unwrap();
        let shown: Vec<String> =
            (1..).zip(rows).map(|(number, row)| format!("{number}={}", chunk.texts[*row])).collect();
        prop_assert_eq!(text, &format!("{}:\n{}\n.", prompt, shown.join("\n")));
        prop_assert!(rows.iter().all(|row| chunk.prompts[*row].as_deref() == Some(prompt.as_str())));
    }
    Ok(by_request.values().map(Vec::len).sum())
}

/// Answers all requests of a chunk with lists in reverse, and returns the responses of the rows, by id.
fn joined(sink: &MemorySink, index: u32, chunk: &Chunk, plan: &PromptPlan) -> BTreeMap<String, Option<String>> {
    let answer = |(id, text, _): &(String, String, usize)| {
        let rows = text.lines().filter_map(|line| line.split_once('='));
        let elements: Vec<Value> = rows.map(|(id, text)| json!({"id": id, "of": text})).collect();
        let list = Value::Array(elements.into_iter().rev().collect()).to_string();
        let usage = json!({"inputTokens": text.len(), "outputTokens": 7});
        json!({"recordId": id, "modelOutput": {"output": {"message": {"content": [{"text": list}]}}, "usage": usage}})
            .to_string()
    };
    let lines: Vec<String> = chunk.lines.iter().map(answer).collect();
    let prompts = PromptsRead::new(plan, &Inference::default()).unwrap();
    let outputs = [(OutputFormat::Parquet, format!("out{index}"))];
    let job = JoinJob::new(Family::Nova, Reading { retry_on: &[], prompts: &prompts }, &outputs);
    let attempt = JobAttempt::first(lines.len(), "m");
    let output = std::io::Cursor::new(lines.join("\n").into_bytes());
    let answers = JobAnswers { job: attempt, answers: Box::new(std::iter::once(Box::new(output) as _)) };
    let rows = sink.get(&layout().rows_key(index)).unwrap();
    let joined = join(&job, &rows, "rows", std::iter::once(answers), sink).unwrap();
    assert!(joined.counts.warnings.is_empty(), "{:?}", joined.counts.warnings);
    let usage: Vec<_> = joined.counts.usage.iter().map(|usage| (usage.answers, usage.tokens)).collect();
    let (mut responses, mut tokens) = (BTreeMap::new(), (0, 0));
    for batch in ParquetRows::open(sink.get(&outputs[0].1).unwrap(), "out", None).unwrap().1 {
        let batch = batch.unwrap();
        assert!(batch.schema().fields().iter().all(|field| !INTERNAL.contains(&field.name().as_str())));
        let text = |name| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let count =
            |name| batch.column_by_name(name).unwrap().as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        tokens = (tokens.0 + count("input_tokens"), tokens.1 + count("output_tokens"));
        let (ids, answers) = (text(RECORD_ID), text("response"));
        responses.extend(ids.iter().flatten().map(str::to_owned).zip(answers.iter().map(|a| a.map(str::to_owned))));
    }
    let [(answers, used)] = usage[..] else { panic!("one model in one lane") };
    assert_eq!((answers, used.input, used.output), (lines.len() as u64, tokens.0, tokens.1), "shares add up");
    responses
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn rows_of_alternating_prompts_share_requests_within_their_chunk(
        rows in prop::collection::vec((0usize..4, "[a-z\"\\\\ü]{0,20}"), 1..220),
        expanded: bool, per_request in 1usize..8, min in 1u32..6, wider in 0u32..14, max_bytes in 260u64..600,
        cuts in prop::collection::vec(1usize..40, 1..20),
    ) {
        let plan = plan(expanded);
        let writers = writers(&plan, per_request);
        let limits =
            ChunkLimits { min_records: min, max_records: min + wider, max_bytes: 1 << 20, max_chunks: None, small_last: true };
        let view = View::new(["kind", "text"].map(Column::of_input).to_vec(), &BTreeMap::new()).unwrap();
        let prompter = RowPrompter { view: &view, prompts: &plan, choosing: Some("kind"), images: None };
        let batches = |cuts: &[usize]| {
            let (mut rest, mut batches) = (rows.as_slice(), Vec::new());
            for cut in cuts.iter().cycle() {
                let (one, others) = rest.split_at((*cut).min(rest.len()));
                batches.push(Ok(batch(one)));
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            batches.into_iter()
        };
        let prompted = |cuts: &[usize]| prompter.rows(batches(cuts), u64::MAX).collect::<Vec<_>>().into_iter();
        let count = prompted(&cuts).map(|rows: Result<PromptedRows, _>| rows.unwrap().ids.len()).sum::<usize>();
        let layout = layout();
        let mut spec = ChunkWriteSpec {
            layout: &layout,
            records: &writers,
            limits,
            max_record_bytes: max_bytes,
            rows: count as u64,
            deduplicate: false,
            lines: None,
        };
        if Chunker::needs_exact_count(limits) {
            spec.lines = Some(count_lines(&spec, prompted(&cuts)).unwrap());
        }
        let sink = MemorySink::default();
        let written: Written = write_chunks(&spec, prompted(&cuts), &sink).unwrap();
        let (mut sent, mut seen) = (0, 0);
        for (index, records) in (0u32..).zip(&written.chunks) {
            let chunk = chunk(&sink, index);
            prop_assert_eq!(chunk.lines.len(), *records as usize);
            let is_last = index as usize + 1 == written.chunks.len();
            prop_assert!(*records <= min + wider && (is_last || *records >= min), "{:?} of {}", written.chunks, min);
            sent += check_requests(&chunk, per_request, max_bytes)?;
            seen += chunk.ids.len();
            let responses = joined(&sink, index, &chunk, &plan);
            for row in 0..chunk.ids.len() {
                let expected = chunk.requests[row].map(|_| json!({"of": chunk.texts[row]}).to_string());
                prop_assert_eq!(&responses[&chunk.ids[row]], &expected);
            }
        }
        if let Some(lines) = spec.lines {
            prop_assert_eq!(lines, written.chunks.iter().map(|records| u64::from(*records)).sum::<u64>());
        }
        let rejected: u64 = written.rejected.values().sum();
        prop_assert_eq!(sent as u64 + rejected, count as u64, "each row is in one request, or has its reason");
        prop_assert!(written.chunks.is_empty() || seen == count);
        // However the input is cut into batches. Only where a chunk ends may depend on that, if the number of lines is estimated.
        let whole = MemorySink::default();
        let at_once = write_chunks(&spec, prompted(&[rows.len()]), &whole).unwrap();
        let all = |sink: &MemorySink, chunks: usize| {
            let chunks: Vec<Chunk> = (0u32..).take(chunks).map(|index| chunk(sink, index)).collect();
            let lines = chunks.iter().flat_map(|chunk| chunk.lines.clone()).collect::<Vec<_>>();
            let rows = |chunk: &Chunk| chunk.ids.iter().cloned().zip(chunk.requests.clone()).collect::<Vec<_>>();
            (lines, chunks.iter().flat_map(rows).collect::<Vec<_>>())
        };
        prop_assert_eq!(all(&sink, written.chunks.len()), all(&whole, at_once.chunks.len()));
    }
}

/// Writes the chunks of rows of the first prompt, which come in batches of this size.
fn written_of_one_prompt(texts: &[String], per_request: usize, limits: ChunkLimits, size: usize) -> Written {
    let plan = PromptPlan { choice: Choice::Single, ..plan(false) };
    let writers = writers(&plan, per_request);
    let view = View::new(["kind", "text"].map(Column::of_input).to_vec(), &BTreeMap::new()).unwrap();
    let prompter = RowPrompter { view: &view, prompts: &plan, choosing: None, images: None };
    let rows: Vec<(usize, String)> = texts.iter().map(|text| (0, text.clone())).collect();
    let (layout, count) = (layout(), rows.len() as u64);
    let spec = ChunkWriteSpec {
        layout: &layout,
        records: &writers[..1],
        limits,
        max_record_bytes: 10_000,
        rows: count,
        deduplicate: true,
        lines: None,
    };
    let batches = rows.chunks(size).map(|rows| Ok(batch(rows)));
    write_chunks(&spec, prompter.rows(batches, count), &MemorySink::default()).unwrap()
}

#[test]
fn requests_are_filled_over_the_ends_of_batches() {
    let texts: Vec<String> = (0..10_000).map(|row| format!("row {row}")).collect();
    let limits =
        ChunkLimits { min_records: 100, max_records: 1000, max_bytes: 1 << 30, max_chunks: Some(1), small_last: false };
    for size in [7, 4096] {
        let written = written_of_one_prompt(&texts, 10, limits, size);
        assert_eq!((written.chunks, written.over_max_chunks, written.rows), (vec![1000], 0, 10_000));
    }
}

#[test]
fn rows_that_are_more_requests_than_estimated_are_sent_nevertheless() {
    // The estimate is that of the first rows, most of which equal each other.
    let texts: Vec<String> = (0..80_usize).map(|row| format!("row {}", row.saturating_sub(40))).collect();
    let limits =
        ChunkLimits { min_records: 1, max_records: 100, max_bytes: 1 << 20, max_chunks: Some(1), small_last: false };
    let written = written_of_one_prompt(&texts, 2, limits, 10);
    assert_eq!((written.chunks, written.over_max_chunks, written.same), (vec![20], 0, 40));
}

#[test]
fn rows_that_have_all_prompts_fill_their_requests() {
    let plan = plan(true);
    let writers = writers(&plan, 10);
    let rows: Vec<(usize, String)> = (0..100).map(|row| (2, format!("row {row}"))).collect();
    let limits =
        ChunkLimits { min_records: 1, max_records: 1000, max_bytes: 1 << 20, max_chunks: None, small_last: true };
    let view = View::new(["kind", "text"].map(Column::of_input).to_vec(), &BTreeMap::new()).unwrap();
    let prompter = RowPrompter { view: &view, prompts: &plan, choosing: Some("kind"), images: None };
    let (layout, sink) = (layout(), MemorySink::default());
    let spec = ChunkWriteSpec {
        layout: &layout,
        records: &writers,
        limits,
        max_record_bytes: 10_000,
        rows: 200,
        deduplicate: false,
        lines: None,
    };
    let written = write_chunks(&spec, prompter.rows(std::iter::once(Ok(batch(&rows))), 200), &sink).unwrap();
    assert_eq!(written.chunks, [20], "10 rows per request, for both prompts");
}

#[test]
fn a_row_that_does_not_fit_into_a_request_of_its_own_shares_none() {
    let plan = plan(false);
    let writers = writers(&plan, 9);
    let long = "x".repeat(250);
    let cell = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text, text])) };
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", long.as_str()]));
    let rows = RecordBatch::try_from_iter([(RECORD_ID, ids), ("text", cell("t"))]).unwrap();
    let mut texts = Vec::new();
    (1..=2).for_each(|number| writers[0].push_row(&mut texts, number, |_| "t"));
    let together = writers[0].request_bytes(RequestId { first: "a", rows: 2 }, texts.len()) as u64;
    let limits =
        ChunkLimits { min_records: 1, max_records: 100, max_bytes: 1 << 20, max_chunks: None, small_last: true };
    let layout = layout();
    let written = |max_record_bytes| {
        let spec = ChunkWriteSpec {
            layout: &layout,
            records: &writers[..1],
            limits,
            max_record_bytes,
            rows: 2,
            deduplicate: false,
            lines: None,
        };
        let rows = numbered(std::iter::once(Ok(rows.clone())), 2);
        let written = write_chunks(&spec, rows, &MemorySink::default()).unwrap();
        (written.chunks, written.rejected.values().sum::<u64>())
    };
    // Together they would fit, but the row may be sent again by itself, under its long id.
    assert_eq!(written(together), (vec![1], 1));
    assert_eq!(written(together + 400), (vec![1], 0));
}
