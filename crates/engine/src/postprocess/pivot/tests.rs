use super::*;
use crate::objects::MemorySink;
use crate::rows::parquet_read::ParquetRows;
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::prompt::{Choice, ExpandedLayout, NamedPrompt, Prompt, PromptPlan};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn plan() -> PromptPlan {
    let named = |id: &str, schema: &str| NamedPrompt {
        id: id.into(),
        prompt: Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n{schema}")).unwrap(),
    };
    let schema = "[output_schema]\ntype = \"json\"\nfields = { color = \"$.c\" }";
    let choice = Choice::Expanded {
        column: "kind".into(),
        by_value: BTreeMap::from([("both".to_owned(), vec![0, 1])]),
        default: None,
        layout: ExpandedLayout::Wide,
    };
    let prompts = vec![named("a", schema), named("b", "")];
    PromptPlan { choice, prompts, ..PromptPlan::default() }
}

/// Returns the answers of input rows, each of which was sent with these prompts.
fn answers(sent: &[Vec<usize>]) -> Vec<[Option<String>; 6]> {
    let mut rows = Vec::new();
    for (row, prompts) in sent.iter().enumerate() {
        let cell = |text: String| Some(text);
        if prompts.is_empty() {
            let error = cell("no prompt".into());
            rows.push([cell(format!("r-{row}-000")), cell(format!("x{row}")), None, None, error, None]);
        }
        for (number, prompt) in prompts.iter().enumerate() {
            let id = ["a", "b"][*prompt];
            let failed = *prompt == 1 && row % 3 == 0;
            rows.push([
                cell(format!("r-{row}-{:03}", number + 1)),
                cell(format!("x{row}")),
                (!failed).then(|| format!("{id} of {row}")),
                (*prompt == 0).then(|| format!("c{row}")),
                failed.then(|| "lost".to_owned()),
                cell(id.to_owned()),
            ]);
        }
    }
    rows
}

fn batch(rows: &[[Option<String>; 6]]) -> RecordBatch {
    let names = ["record_id", "input_error", "response", "color", "error", "prompt_id"];
    let column =
        |at: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| row[at].as_deref()).collect::<StringArray>()) };
    RecordBatch::try_from_iter_with_nullable(names.iter().enumerate().map(|(at, name)| (*name, column(at), true)))
        .unwrap()
}

proptest! {
    #[test]
    fn each_row_becomes_wide_once_wherever_files_and_batches_end(
        sent in prop::collection::vec(prop_oneof![Just(vec![]), Just(vec![0]), Just(vec![0, 1]), Just(vec![1, 0])], 1..12),
        cuts in prop::collection::vec(1usize..5, 40), batch_rows in 1usize..4,
    ) {
        let plan = plan();
        let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
        let rows = answers(&sent);
        let mut chunks: Vec<Vec<RecordBatch>> = Vec::new();
        let mut left = rows.as_slice();
        for cut in cuts {
            let (chunk, rest) = left.split_at(cut.min(left.len()));
            if !chunk.is_empty() {
                chunks.push(chunk.chunks(batch_rows).map(batch).collect());
            }
            left = rest;
        }
        prop_assume!(left.is_empty());
        let written = MemorySink::default();
        let mut found: Vec<(String, Vec<Option<String>>)> = Vec::new();
        for chunk in 0..chunks.len() {
            let existing = vec![Column::of_input(RECORD_ID), Column::of_input("error")];
            let outputs = [(OutputFormat::Parquet, "out".to_owned())];
            let task = PivotTask { prompts: &prompts, plan: &plan, existing, prefix: None, csv: CsvStyle::default(), outputs: &outputs };
            let after = chunks[chunk + 1..].iter().flatten().cloned().map(Ok);
            pivot(&task, chunks[chunk].iter().cloned().map(Ok), after, &written).unwrap();
            let bytes = written.get("out").unwrap();
            for wide in ParquetRows::open(bytes, "out", None).unwrap().1 {
                let wide = wide.unwrap();
                let names: Vec<String> = wide.schema().fields().iter().map(|field| field.name().clone()).collect();
                prop_assert_eq!(names, ["record_id", "input_error", "a_response", "a_color", "a_error", "b_response", "b_error", "error"]);
                for row in 0..wide.num_rows() {
                    let cells = wide.columns().iter().map(|column| {
                        let column = column.as_string::<i32>();
                        column.is_valid(row).then(|| column.value(row).to_owned())
                    });
                    let mut cells: Vec<Option<String>> = cells.collect();
                    found.push((cells.remove(0).unwrap(), cells));
                }
            }
        }
        let expected = sent.iter().enumerate().map(|(row, prompts)| {
            let has = |prompt: usize| prompts.contains(&prompt);
            let lost = has(1) && row % 3 == 0;
            let error = if prompts.is_empty() { Some("no prompt".to_owned()) } else { lost.then(|| "b: lost".to_owned()) };
            (format!("r-{row}"), vec![
                Some(format!("x{row}")),
                has(0).then(|| format!("a of {row}")),
                has(0).then(|| format!("c{row}")),
                None,
                (has(1) && !lost).then(|| format!("b of {row}")),
                lost.then(|| "lost".to_owned()),
                error,
            ])
        });
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

#[test]
fn wide_rows_have_the_prefix_and_the_status_of_all_answers() {
    let plan = plan();
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let text = |cells: [Option<&str>; 5]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
    let unread = Some("json_failed");
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("record_id", text(["r0-001", "r0-002", "r1-001", "r1-002", "r2-001"].map(Some)), true),
        ("kind", text([Some("both"); 5]), true),
        ("response", text(["x", "y", "z", "u", "v"].map(Some)), true),
        ("color", text([Some("c"), None, Some("c"), None, Some("c")]), true),
        ("error", text([None, None, None, Some("lost"), None]), true),
        ("parse_status", text([Some("success"), Some("success"), Some("success"), unread, Some("success")]), true),
        ("prompt_id", text(["a", "b", "a", "b", "a"].map(Some)), true),
    ]);
    let existing = ["record_id", "kind"].map(Column::of_input).to_vec();
    let task = PivotTask {
        prompts: &prompts,
        plan: &plan,
        existing,
        prefix: Some("llm_"),
        csv: CsvStyle::default(),
        outputs: &[],
    };
    let wide = task.wide(&rows.unwrap(), &[2, 4, 5]).unwrap();
    let names: Vec<String> = wide.schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected = "record_id kind llm_a_response llm_a_color llm_a_error llm_a_parse_status llm_b_response llm_b_error \
        llm_b_parse_status llm_status llm_error llm_validation_passed llm_parse_status";
    assert_eq!(names.join(" "), expected);
    let of = |name: &str| wide.column_by_name(name).unwrap().as_string::<i32>().clone();
    assert_eq!(of("llm_status"), StringArray::from(vec!["success", "error", "error"]));
    assert_eq!(of("llm_parse_status"), StringArray::from(vec!["success", "json_failed", "error"]));
    let passed = wide.column_by_name("llm_validation_passed").unwrap().as_boolean().clone();
    assert_eq!(passed.iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(false)]);
}

#[test]
fn a_prompt_cut_off_by_a_limit_is_reported() {
    let plan = plan();
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let text = |cells: Vec<Option<&str>>| Arc::new(StringArray::from(cells)) as ArrayRef;
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("record_id", text(vec![Some("r0-001"), Some("r0-002"), Some("r1-001")]), true),
        ("kind", text(vec![Some("Both"); 3]), true),
        ("response", text(vec![Some("x"), Some("y"), Some("z")]), true),
        ("color", text(vec![None; 3]), true),
        ("error", text(vec![None; 3]), true),
        ("prompt_id", text(vec![Some("a"), Some("b"), Some("a")]), true),
    ]);
    let existing = ["record_id", "kind"].map(Column::of_input).to_vec();
    let task =
        PivotTask { prompts: &prompts, plan: &plan, existing, prefix: None, csv: CsvStyle::default(), outputs: &[] };
    let wide = task.wide(&rows.unwrap(), &[2, 3]).unwrap();
    let errors = wide.column_by_name("error").unwrap().as_string::<i32>();
    assert_eq!(errors, &StringArray::from(vec![None, Some("b: not asked: over max_num_jobs")]));
}
