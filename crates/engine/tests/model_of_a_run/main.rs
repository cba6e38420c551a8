//! A model of whole runs: the real rules and cores (chunking, settle, next step, join) in a world in which Bedrock,
//! events and processes do whatever they like. Whatever happens: every row is in the output exactly once, answered or
//! with its reason; no chunk is made into two jobs; and the run comes to an end.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bucket;
mod world;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::input::{Inference, ProcessingMode};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_domain::rounds::{Mode, Next, Progress, Rows, next};
use bedrock_batch_engine::next_step::{Fate, History, Latest, Pass};
use bedrock_batch_engine::preprocess::{ChunkWriteSpec as Chunking, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bucket::Bucket;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use world::{Dice, MINIMUM, World, limits};

/// Plays a run over so many rows.
fn play(rows: u64, mode: ProcessingMode, last_round: u32, dice: &[u8]) -> (BTreeMap<String, (bool, u32)>, World<'_>) {
    let layout = Layout::new("p", "r");
    let bucket = Bucket::default();
    let csv: String = (0..rows).fold("text\n".to_owned(), |csv, row| csv + &format!("row {row}\n"));
    let records = [RecordWriter::new(
        Family::Nova,
        &Template::parse("{text}").unwrap(),
        &Inference::default(),
        None,
        None,
        false,
    )];
    let lane = match mode {
        ProcessingMode::Realtime => Lane::OnDemand,
        _ => Lane::Batch,
    };
    let small_last = mode == ProcessingMode::Auto;
    let chunking = Chunking {
        layout: &layout,
        records: &records,
        limits: limits(lane, small_last),
        max_record_bytes: 100_000,
        rows,
        deduplicate: true,
        lines: None,
    };
    let written =
        write_chunks(&chunking, numbered(CsvRows::open(csv.as_bytes(), "rows", None).unwrap(), u64::MAX), &bucket)
            .unwrap();
    let mut dice = Dice(dice.iter());
    let hopeless = (0..rows).filter(|_| dice.bad_luck(9)).map(|row| format!("r{row:09}")).collect();
    let mut world = World {
        dice,
        bucket,
        layout: layout.clone(),
        mode,
        bedrock: HashMap::new(),
        table: HashMap::new(),
        sent: HashMap::new(),
        answered: BTreeSet::new(),
        hopeless,
        woken: 0,
    };
    let mut history = History::default();
    let mut first: Vec<JobItem> = (0u32..)
        .zip(&written.chunks)
        .map(|(index, records)| world.item(index, &vec![(index, *records)], 0, lane))
        .collect();
    let small = first.pop_if(|last| lane == Lane::Batch && last.records < MINIMUM);
    history.passes.push(Pass { jobs: first, parts: Vec::new() });
    let mut rest = small.map(|mut job| {
        (job.lane, job.rest) = (Lane::OnDemand, true);
        Pass { parts: vec![vec![(job.index, job.records)]], jobs: vec![job] }
    });
    let mut unanswered: BTreeMap<u32, u64> = BTreeMap::new();
    let mut round = 0;
    for pass in 0.. {
        assert!(pass < 30, "the run does not end");
        let jobs = history.passes[pass as usize].jobs.clone();
        world.run_pass(&jobs);
        let touched: BTreeSet<u32> = history.chunks_of_pass(pass).collect();
        for chunk in touched {
            let joined = world.join(chunk, &history);
            assert_eq!(joined.counts.unanswered, joined.unanswered.iter().filter(|open| **open).count() as u64);
            unanswered.insert(chunk, joined.counts.unanswered);
        }
        unanswered.retain(|_, rows| *rows > 0);
        match next_pass(&mut world, &history, &unanswered, (round, last_round), &mut rest) {
            Some((asked, pass)) => {
                history.passes.push(pass);
                round = asked;
            }
            None => break,
        }
    }
    let chunks = u32::try_from(written.chunks.len()).unwrap();
    let out = (0..chunks).flat_map(|chunk| output(&world.bucket.get(&layout.output_key(chunk, "parquet"))));
    let mut rows_out = BTreeMap::new();
    for (id, answer, attempts) in out {
        assert!(rows_out.insert(id.clone(), (answer.is_some(), attempts)).is_none(), "{id} came out twice");
        if let Some(answer) = answer {
            assert_eq!(answer, format!("answer to {id}"));
        }
    }
    (rows_out, world)
}

/// The round and the jobs of the pass that follows on pass `pass`.
fn next_pass(
    world: &mut World<'_>,
    history: &History,
    unanswered: &BTreeMap<u32, u64>,
    (mut round, last_round): (u32, u32),
    rest: &mut Option<Pass>,
) -> Option<(u32, Pass)> {
    let fate = |name: &str| match world.table.get(name) {
        Some(item) if item.fell_back => Fate::FellBack,
        Some(item) if item.status == Some(JobStatus::Failed) => Fate::Failed,
        _ => Fate::Other,
    };
    let mut latest = Latest::of(history, fate, round < last_round);
    loop {
        let rows_of =
            |chunks: &BTreeSet<u32>| unanswered.iter().filter(|(c, _)| chunks.contains(c)).map(|(_, n)| n).sum();
        let progress = Progress {
            mode: Mode::Run,
            processing: world.mode,
            round,
            last_round,
            batch_minimum: MINIMUM,
            rest: rest.is_some(),
            fell_back: rows_of(&latest.fell_back),
            failed: rows_of(&latest.failed),
            unanswered: unanswered.values().sum(),
            last_join: false,
        };
        match next(&progress) {
            Next::Finish => return None,
            Next::Rest => return rest.take().map(|pass| (round, pass)),
            Next::Ask { rows, lane, round: asked } => {
                let wanted = unanswered.iter().filter(|(chunk, _)| match rows {
                    Rows::All => true,
                    Rows::FellBack => latest.fell_back.contains(chunk),
                    Rows::Failed => latest.failed.contains(chunk),
                });
                let wanted = wanted.map(|(chunk, rows)| (*chunk, *rows)).collect();
                if let Some((pass, left_over)) = world.ask(history, &wanted, lane, asked) {
                    *rest = left_over;
                    return Some((asked, pass));
                }
                (latest, round) = (Latest::default(), last_round);
            }
            Next::LastJoin => unreachable!("there are none"),
        }
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_row_comes_out_once_whatever_happens(
        rows in 4u64..60,
        mode in prop::sample::select(vec![ProcessingMode::Auto, ProcessingMode::Realtime]),
        last_round in 0u32..4,
        dice in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        let (out, world) = play(rows, mode, last_round, &dice);
        prop_assert_eq!(out.len() as u64, rows, "no row is lost");
        for (id, (answered, attempts)) in &out {
            prop_assert_eq!(*answered, world.answered.contains(id), "an answer that came is in the output: {}", id);
            prop_assert_eq!(*attempts, world.sent.get(id).copied().unwrap_or(0), "attempts of {}", id);
            prop_assert!(*attempts <= last_round + 2, "{} was asked {} times", id, attempts);
            prop_assert!(*attempts > 0, "{} was never asked, and could have been", id);
            if world.hopeless.contains(id) {
                prop_assert!(!answered);
            }
        }
        // No record that had its answer was paid again.
        let mut paid = BTreeSet::new();
        for job in world.bedrock.values() {
            for id in &job.answered {
                prop_assert!(paid.insert(id.clone()), "{} was answered twice", id);
            }
        }
        // Each job of the table is one job at Bedrock, and the other way round.
        let arns: BTreeSet<&String> = world.table.values().filter_map(|item| item.arn.as_ref()).collect();
        prop_assert_eq!(arns.len(), world.bedrock.len(), "no job was made twice or lost");
    }
}
