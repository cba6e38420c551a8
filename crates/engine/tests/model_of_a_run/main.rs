//! Model of whole runs: the real rules and cores (chunking, settle, advance, resume, join) in a world in which Bedrock,
//! events and processes misbehave arbitrarily. Whatever happens, every row is in the output exactly once, answered or with
//! its reason; no chunk gets two jobs; and the run terminates.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bucket;
mod record;
mod run;
mod world;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::input::{Inference, ProcessingMode};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::{Prompt, PromptPlan, Template};
use bedrock_batch_engine::postprocess::PromptsRead;
use bedrock_batch_engine::preprocess::{ChunkWriteSpec as Chunking, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bucket::Bucket;
use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;
use run::{Run, lane_of};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use world::{Dice, MINIMUM, World, limits};

/// Input of a run, and events that happen to its executions.
#[derive(Debug, Clone)]
struct Script {
    rows: u64,
    mode: ProcessingMode,
    max_rounds: u32,
    /// For each row, an earlier row that it equals.
    equals: Vec<Option<u8>>,
    is_wide: bool,
    /// Maximum number of rows per request; `None` for a prompt without a part that is repeated for each row.
    per_request: Option<usize>,
    /// Steps after which the execution is stopped, each with the number of items of its Map that are processed, and true if
    /// another execution collects the run before it is resumed.
    stops: Vec<(u8, u8, bool)>,
}

impl Script {
    /// Returns the first row that a row equals: its own number, or that of an earlier row.
    fn first_of(&self, row: u64) -> u64 {
        match self.equals.get(usize::try_from(row).unwrap()).copied().flatten() {
            Some(of) if row > 0 => self.first_of(u64::from(of) % row),
            _ => row,
        }
    }
}

fn id(row: u64) -> String {
    format!("r{row:09}")
}

/// Completed run: for each record id, true if the row has an answer, and its attempts.
struct Played<'a> {
    rows: BTreeMap<String, (bool, u32)>,
    run: Run<'a>,
}

/// Prompt of a run, and the writer of its records.
struct Prompting {
    read: PromptsRead,
    writers: [RecordWriter; 1],
}

impl Prompting {
    fn of(script: &Script) -> Self {
        let inference = Inference::default();
        let writer = |template: &str| {
            let template = Template::parse(template).unwrap();
            RecordWriter::new(Family::Nova, &template, &inference, None, None, false)
        };
        let Some(per_request) = script.per_request else {
            return Self { read: PromptsRead::default(), writers: [writer("{text}")] };
        };
        let (outer, row) = ("All:\n{rows}", "<{row_id}:{text}>");
        let prompt = json!({"description": "d", "template": outer, "rows": {"template": row}});
        let plan = PromptPlan::single("p", serde_json::from_value::<Prompt>(prompt).unwrap());
        let writers = [writer(row).of_rows(&Template::parse(outer).unwrap(), per_request)];
        Self { read: PromptsRead::new(&plan, &inference).unwrap(), writers }
    }
}

/// Plays a run; returns `None` if its start refuses it, because its records are too few for a batch job in batch mode.
fn play<'a>(script: &Script, prompting: &'a Prompting, dice: &'a [u8]) -> Option<Played<'a>> {
    let rows = script.rows;
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    let bucket = Bucket::default();
    let csv = |csv: String, row: u64| csv + &format!("row {}\n", script.first_of(row));
    let csv: String = (0..rows).fold("text\n".to_owned(), csv);
    let lane = lane_of(script.mode);
    let chunking = Chunking {
        layout: &layout,
        records: &prompting.writers,
        limits: limits(lane, script.mode == ProcessingMode::Auto),
        max_record_bytes: 100_000,
        rows,
        deduplicate: true,
        lines: None,
    };
    let batches = numbered(CsvRows::open(csv.as_bytes(), "rows", None).unwrap(), u64::MAX);
    let written = write_chunks(&chunking, batches, &bucket).unwrap();
    if script.mode == ProcessingMode::Batch && written.chunks.iter().sum::<u32>() < MINIMUM {
        return None;
    }
    let mut dice = Dice(dice.iter());
    let hopeless = (0..rows).filter(|_| dice.bad_luck(9)).map(id).collect();
    let world = World {
        dice,
        bucket,
        layout: layout.clone(),
        mode: script.mode,
        prompts: &prompting.read,
        writers: &prompting.writers,
        bedrock: HashMap::new(),
        table: HashMap::new(),
        sent: HashMap::new(),
        answered: BTreeSet::new(),
        hopeless,
        woken: 0,
        unknown_failures: BTreeSet::new(),
        has_failed: false,
    };
    let mut run = Run::new(world, &written, lane, script.max_rounds, script.is_wide);
    for step in 0u8.. {
        assert!(step < 200, "the run does not end");
        if let Some((_, items, collects)) = script.stops.iter().find(|(at, ..)| *at == step) {
            run.stop_and_resume(usize::from(*items), *collects);
        }
        if !run.step() {
            break;
        }
    }
    let (chunks, duplicate_files) = run.files();
    let keys = (0..chunks).map(|chunk| layout.output_key(chunk, "parquet"));
    let keys = keys.chain((0..duplicate_files).map(|file| layout.duplicate_output_key(file, "parquet")));
    let mut rows_out = BTreeMap::new();
    for (id, answer, attempts) in keys.flat_map(|key| output(&run.world.bucket.get(&key))) {
        if let Some(answer) = &answer {
            let row: u64 = id[1..].parse().unwrap();
            let expected = format!("answer to {}", self::id(script.first_of(row)));
            match script.per_request {
                None => assert_eq!(answer, &expected),
                Some(_) => assert_eq!(answer, &json!({"answer": expected}).to_string()),
            }
        }
        assert!(rows_out.insert(id.clone(), (answer.is_some(), attempts)).is_none(), "{id} came out twice");
    }
    Some(Played { rows: rows_out, run })
}

fn output(file: &Bytes) -> Vec<(String, Option<String>, u32)> {
    let batches = ParquetRows::open(file.clone(), "out", None).unwrap().1;
    batches.flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<(String, Option<String>, u32)> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let attempts = batch.column_by_name("attempts").unwrap().as_primitive::<UInt32Type>();
    let row = |row| {
        assert_ne!(text("response", row).is_some(), text("error", row).is_some(), "an answer or a reason");
        (text("record_id", row).unwrap(), text("response", row), attempts.value(row))
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Checks that a run keeps all promises.
fn check(script: &Script, dice: &[u8]) -> Result<(), TestCaseError> {
    let prompting = Prompting::of(script);
    let Some(Played { rows, run }) = play(script, &prompting, dice) else { return Ok(()) };
    let world = &run.world;
    prop_assert_eq!(rows.len() as u64, script.rows, "no row is lost");
    // Each execution that resumes the run allows at least one more round.
    let most = if run.execution == 0 { script.max_rounds + 2 } else { run.state.last_round + 2 };
    for row in 0..script.rows {
        let (answered, attempts) = rows[&id(row)];
        let id = id(script.first_of(row));
        prop_assert_eq!(answered, world.answered.contains(&id), "an answer that came is in the output: {}", id);
        prop_assert_eq!(attempts, world.sent.get(&id).copied().unwrap_or(0), "attempts of {}", id);
        prop_assert!(attempts <= most + run.execution, "{} was sent {} times", id, attempts);
        prop_assert!(attempts > 0, "{} was never sent, and could have been", id);
        if world.hopeless.contains(&id) {
            prop_assert!(!answered);
        }
    }
    // No answered row was sent again.
    let mut paid = BTreeSet::new();
    for job in world.bedrock.values() {
        for id in &job.answered {
            prop_assert!(paid.insert(id.clone()), "{} was answered twice", id);
        }
    }
    // Each job in the table is one job at Bedrock, and vice versa.
    let arns: BTreeSet<&String> = world.table.values().filter_map(|item| item.arn.as_ref()).collect();
    prop_assert_eq!(arns.len(), world.bedrock.len(), "no job was made twice or lost");
    // Work that needs all answers is done once, at the end.
    prop_assert_eq!(run.last_joins, u32::from(run.files().1 > 0));
    prop_assert_eq!(run.pivots, u32::from(script.is_wide));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_row_is_written_once_whatever_happens(
        rows in 4u64..60,
        mode in prop::sample::select(vec![ProcessingMode::Auto, ProcessingMode::Batch, ProcessingMode::Realtime]),
        max_rounds in 0u32..4,
        dice in prop::collection::vec(any::<u8>(), 0..1500),
        equals in prop::collection::vec(prop::option::weighted(0.2, any::<u8>()), 0..60),
        is_wide in any::<bool>(),
        per_request in prop::option::of(1usize..6),
        stops in prop::collection::vec((0u8..12, 0u8..4, any::<bool>()), 0..3),
    ) {
        check(&Script { rows, mode, max_rounds, equals, is_wide, per_request, stops }, &dice)?;
    }

    #[test]
    fn an_undisturbed_execution_respects_its_maximum_of_rounds(
        rows in 4u64..60,
        mode in prop::sample::select(vec![ProcessingMode::Auto, ProcessingMode::Batch, ProcessingMode::Realtime]),
        max_rounds in 0u32..4,
        dice in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        let (equals, stops) = (Vec::new(), Vec::new());
        check(&Script { rows, mode, max_rounds, equals, is_wide: false, per_request: None, stops }, &dice)?;
    }

    #[test]
    fn requests_of_several_rows_lose_no_row_and_send_no_answered_one_again(
        rows in 4u64..120,
        mode in prop::sample::select(vec![ProcessingMode::Auto, ProcessingMode::Batch, ProcessingMode::Realtime]),
        max_rounds in 0u32..5,
        per_request in 2usize..9,
        dice in prop::collection::vec(any::<u8>(), 0..1500),
        equals in prop::collection::vec(prop::option::weighted(0.1, any::<u8>()), 0..120),
        stops in prop::collection::vec((0u8..12, 0u8..4, any::<bool>()), 0..3),
    ) {
        let per_request = Some(per_request);
        check(&Script { rows, mode, max_rounds, equals, is_wide: false, per_request, stops }, &dice)?;
    }
}

/// Runs that once had an incorrect result.
#[rstest]
#[case(32, 1, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 3, 0, 0, 0, 22, 0, 0, 22, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 182, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 155, 0, 118, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])]
#[case(45, 2, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 54, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 189, 15, 0, 27, 102, 166, 132, 0, 15, 14, 0, 15, 45, 0, 161, 0, 127, 0, 0, 18, 229, 0, 0, 8, 0, 0, 0, 0, 62, 150, 0, 0, 171, 75, 0, 0, 17, 0, 8, 0, 0, 110, 0, 0, 54, 0, 254, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 174, 0, 0, 0, 76, 168, 177, 239, 74, 148, 162, 72, 182, 206, 247, 252, 87, 192, 255, 41, 238, 254, 56, 131, 227, 162, 233, 214, 104, 191, 54, 237, 93, 106, 210, 134, 186, 86, 118, 158, 82, 183, 123, 255, 203, 71, 40, 118])]
#[case(55, 2, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 134, 0, 0, 0, 0, 62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 213, 0, 22, 0, 24, 8, 72, 8, 0, 8, 0, 0, 0, 96, 0, 15, 0, 0, 215, 47, 0, 8, 55, 0, 167, 23, 23, 39, 47, 7, 119, 0, 0, 27, 0, 75, 0, 0, 19, 0, 80, 72, 8, 0, 0, 86, 0, 23, 116, 36, 193, 255, 81, 205, 201, 40, 203, 102, 140, 217, 78, 225, 177, 110, 134, 14, 172, 114, 213, 127, 167, 213, 138, 83, 54, 98, 208, 64, 81, 223, 67, 250, 179, 87, 87, 133, 188, 131, 9, 43, 84, 153, 48, 26, 173, 214, 106, 4, 143, 134, 128, 71, 145, 190, 155, 1, 154, 227, 119, 217, 243, 214, 16, 63, 230, 91, 154, 151, 60, 20, 5, 233, 124, 247, 60, 6, 51, 143, 229, 255, 66, 125, 114, 80, 126, 216, 237, 174])]
fn runs_that_once_failed_are_correct(#[case] rows: u64, #[case] max_rounds: u32, #[case] dice: &[u8]) {
    let (mode, equals) = (ProcessingMode::Auto, Vec::new());
    let (per_request, stops) = (None, Vec::new());
    check(&Script { rows, mode, max_rounds, equals, is_wide: false, per_request, stops }, dice).unwrap();
}
