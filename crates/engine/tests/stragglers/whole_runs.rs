//! Whole runs by the real functions: started, stopped, collected and resumed, while functions that were given up run on, jobs
//! end in all ways, events are lost and indexes are behind. Whatever happens, every row comes out once, with its answer or its
//! reason, and nothing is paid for twice.

use crate::services::dice::Dice;
use crate::services::gate::{Decision, Gate};
use crate::services::{BUCKET, Services};
use crate::submissions::{execution, run_id};
use crate::use_cases::{Event, MINIMUM, UseCases, deployment};
use arrow_array::RecordBatch;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::preprocess::StartInput;
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::stop::EndedExecution;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Folder of the answered rows.
const OUTPUT: &str = "batch_output_parquet/p/r/";

/// Input of a run, and what happens to it.
#[derive(Debug, Clone)]
struct Script {
    rows: u32,
    mode: &'static str,
    max_rounds: u32,
    /// For each row, an earlier row that it equals.
    equals: Vec<Option<u8>>,
    layout: Layout,
    has_no_batch: bool,
    /// For each execution, the number of items after which it is stopped, and true if another execution collects the run
    /// before it is resumed.
    stops: Vec<(u8, bool)>,
    /// Decides everything else.
    dice: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Single,
    Long,
    Wide,
}

impl Script {
    fn text(&self, row: u32) -> String {
        match self.equals.get(row as usize).copied().flatten() {
            Some(of) if row > 0 => self.text(u32::from(of) % row),
            // Half of them are formulas to a spreadsheet.
            _ => format!("{}row {row}", if row.is_multiple_of(2) { "=" } else { "" }),
        }
    }

    fn input(&self) -> Value {
        let mut input = json!({
            "job_name_prefix": "p", "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "prompt_id": "plain",
            "s3_uri": format!("s3://{BUCKET}/inputs/rows.csv"), "max_records_per_job": 10, "requests_per_second": 1000,
            "processing_mode": self.mode, "max_retry_rounds": self.max_rounds,
            "output_formats": ["parquet", "csv"], "csv_safe_cells": true,
        });
        if self.layout != Layout::Single {
            input["prompt_id"] = Value::Null;
            input["prompt_config"] =
                json!({"mode": "expanded", "category_column": "kind", "expansion_mapping": {"default": "both"}});
            input["expanded_layout"] = json!(if self.layout == Layout::Wide { "wide" } else { "long" });
        }
        input
    }

    fn prompts(&self) -> &'static [&'static str] {
        if self.layout == Layout::Single { &["plain"] } else { &["plain", "other"] }
    }
}

/// End of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Finished,
    Failed(String),
    Stopped,
}

/// Function that the state machine has given up, and its requests that wait for a decision.
struct Straggler {
    number: usize,
    task: JoinHandle<()>,
}

/// The state machine.
struct Machine {
    services: Services,
    deployment: Arc<Deployment>,
    dice: Dice,
    requests: mpsc::UnboundedReceiver<(usize, oneshot::Sender<Decision>)>,
    /// Requests that wait for a decision, by the function.
    waiting: BTreeMap<usize, VecDeque<oneshot::Sender<Decision>>>,
    stragglers: Vec<Straggler>,
    functions: UseCases,
    given_up: usize,
    tokens: u32,
    executions: u32,
    /// Number of items after which the execution is stopped.
    items_left: Option<u8>,
}

impl Machine {
    async fn new(script: &Script) -> Self {
        let (gate, requests) = Gate::new();
        let (services, deployment) = (Services::start(Some(gate)).await, deployment());
        {
            let mut world = services.world();
            let rows: Vec<String> = (0..script.rows).map(|row| format!("{},k\n", script.text(row))).collect();
            world.objects.insert("inputs/rows.csv".to_owned(), format!("text,kind\n{}", rows.concat()).into_bytes());
            let (own, others): (Vec<_>, Vec<_>) = script.dice.iter().enumerate().partition(|(at, _)| at % 2 == 0);
            let bytes = |half: Vec<(usize, &u8)>| half.into_iter().map(|(_, byte)| *byte).collect::<Vec<u8>>();
            world.dice = Dice::new(&bytes(own));
            world.hopeless = Some(7);
            world.has_no_batch = script.has_no_batch && script.mode == "auto";
            Self {
                services: services.clone(),
                functions: UseCases::new(&services, &deployment, None),
                deployment,
                dice: Dice::new(&bytes(others)),
                requests,
                waiting: BTreeMap::new(),
                stragglers: Vec::new(),
                given_up: 0,
                tokens: 0,
                executions: 0,
                items_left: None,
            }
        }
    }

    /// Performs a state: invokes its function until it succeeds, or fails for good. `event` makes the event of each attempt.
    async fn state(&mut self, mut event: impl FnMut(&mut Self, u32) -> Event) -> Result<Value, String> {
        for attempt in 0..100 {
            let event = event(self, attempt);
            if self.dice.bad_luck(8) && !matches!(event, Event::Invoke(_)) {
                self.give_up(event).await;
                continue;
            }
            match self.functions.handle(&event).await {
                Ok(result) => return Ok(result),
                Err(error) if error.is_transient() => {}
                Err(error) => {
                    let name = error.name();
                    assert!(["JobFailed", "InvalidInput"].contains(&name), "{event:?}: {error:#}");
                    return Err(name.to_owned());
                }
            }
        }
        panic!("the state is retried without end");
    }

    /// Invokes a function, and gives it up after some of its requests.
    async fn give_up(&mut self, event: Event) {
        let number = self.given_up;
        self.given_up += 1;
        let functions = UseCases::new(&self.services, &self.deployment, Some(number));
        let task = tokio::spawn(async move {
            // Its result reaches no one.
            let _ = functions.handle(&event).await;
        });
        self.stragglers.push(Straggler { number, task });
        let requests = self.dice.roll(16);
        self.let_through(self.stragglers.len() - 1, u32::from(requests)).await;
    }

    /// Lets the next requests of a straggler through. It is removed when it has ended.
    async fn let_through(&mut self, straggler: usize, requests: u32) {
        for _ in 0..requests {
            if !self.wait_for_request(straggler).await {
                self.stragglers.remove(straggler);
                return;
            }
            let number = self.stragglers[straggler].number;
            let request = self.waiting.get_mut(&number).unwrap().pop_front().unwrap();
            // A request whose function has ended waits for nothing.
            let _ = request.send(Decision::Perform);
        }
    }

    /// Waits until a straggler sends a request; returns false if it has ended.
    async fn wait_for_request(&mut self, straggler: usize) -> bool {
        loop {
            let Straggler { number, task } = &mut self.stragglers[straggler];
            if self.waiting.get(number).is_some_and(|requests| !requests.is_empty()) {
                return true;
            }
            tokio::select! {
                request = self.requests.recv() => {
                    let (number, decision) = request.unwrap();
                    self.waiting.entry(number).or_default().push_back(decision);
                }
                _ = task => return false,
            }
        }
    }

    /// Lets a straggler continue, perhaps to its end.
    async fn disturb(&mut self) {
        if !self.stragglers.is_empty() && self.dice.bad_luck(3) {
            let straggler = usize::from(self.dice.roll(255)) % self.stragglers.len();
            let requests = if self.dice.bad_luck(2) { u32::MAX } else { u32::from(self.dice.roll(8)) };
            self.let_through(straggler, requests).await;
        }
    }

    /// Returns an error if the execution is to be stopped before the next item.
    async fn next_item(&mut self) -> Result<(), End> {
        self.disturb().await;
        match &mut self.items_left {
            Some(0) => Err(End::Stopped),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Runs an execution with this input.
    async fn execute(&mut self, input: &Value) -> End {
        let number = self.executions;
        self.executions += 1;
        self.services.world().running = [execution(number).to_string()].into();
        let end = match Box::pin(self.steps(number, input)).await {
            Ok(()) => End::Finished,
            Err(end) => end,
        };
        self.services.world().running.clear();
        if end != End::Finished {
            Box::pin(self.after_the_end(number, input)).await;
        }
        end
    }

    /// Handles the event that an execution has ended, unless it is lost.
    async fn after_the_end(&mut self, number: u32, input: &Value) {
        if self.dice.bad_luck(4) {
            let _ = self.state(|_, _| Event::Reconcile).await;
            return;
        }
        let (execution_arn, name) = (execution(number), execution(number).name().to_owned());
        let resumed = ["resume_run", "collect_run"].iter().any(|field| !input[field].is_null());
        let input = if resumed { input.to_string() } else { json!({"resume_run": "r"}).to_string() };
        let ended = EndedExecution { execution_arn, name, input: Some(input) };
        self.state(|_, _| Event::Stop(ended.clone())).await.unwrap();
    }

    async fn steps(&mut self, number: u32, input: &Value) -> Result<(), End> {
        let name = if number == 0 { run_id().to_string() } else { execution(number).name().to_owned() };
        let start = StartInput {
            execution_name: name,
            execution_arn: execution(number),
            started_at: format!("2026-11-30T12:00:{number:02}Z"),
            input: input.clone(),
        };
        let mut step = self.state(|_, _| Event::Start(start.clone())).await.map_err(End::Failed)?;
        loop {
            let kind = step["step"].as_str().unwrap().to_owned();
            if kind == "finish" {
                self.state(|_, _| Event::Summarize(step["execution_arn"].clone())).await.map_err(End::Failed)?;
                return Ok(());
            }
            for item in self.manifest(&step) {
                self.next_item().await?;
                Box::pin(self.item(&kind, &step, &item)).await?;
            }
            self.next_item().await?;
            let done = step.clone();
            step = self.state(|_, _| Event::NextStep(done.clone())).await.map_err(End::Failed)?;
        }
    }

    fn manifest(&self, step: &Value) -> Vec<Value> {
        let world = self.services.world();
        serde_json::from_slice(&world.objects[step["manifest_key"].as_str().unwrap()]).unwrap()
    }

    async fn item(&mut self, kind: &str, step: &Value, item: &Value) -> Result<(), End> {
        let of_run =
            |field: &str| json!({"run_id": step["run_id"], "execution_arn": step["execution_arn"], field: item});
        let done = match kind {
            "process_jobs" | "retry_jobs" => {
                Box::pin(self.job(step, item)).await?;
                if kind == "retry_jobs" {
                    return Ok(());
                }
                self.next_item().await?;
                self.state(|_, _| Event::Postprocess(of_run("job"))).await
            }
            "answer_on_demand" => loop {
                match self.state(|_, _| Event::Invoke(of_run("job"))).await {
                    Ok(invoked) if invoked["done"] == false => {}
                    other => break other,
                }
            },
            "join_chunks" => self.state(|_, _| Event::Postprocess(of_run("chunk"))).await,
            other => panic!("{other} is not a step"),
        };
        done.map(|_| ()).map_err(End::Failed)
    }

    /// Submits a job, and waits for the answer to its latest token.
    async fn job(&mut self, step: &Value, item: &Value) -> Result<(), End> {
        let mut token = String::new();
        let submission = |machine: &mut Self, attempt: u32| {
            machine.tokens += 1;
            token = format!("token-{}", machine.tokens);
            Event::Submit(json!({
                "task_token": token, "redrive_count": 0, "retry_count": attempt, "run_id": step["run_id"],
                "execution_arn": step["execution_arn"], "model_id": step["model_id"], "job": item,
                "invocation_type": step["invocation_type"], "falls_back": step["falls_back"],
            }))
        };
        self.state(submission).await.map_err(End::Failed)?;
        let name = item["name"].as_str().unwrap();
        for round in 0..400u32 {
            let answer = self.services.world().answered.get(&token).cloned();
            match answer {
                Some(None) => return Ok(()),
                Some(Some(error)) => return Err(End::Failed(error)),
                None => {}
            }
            self.next_item().await?;
            match (u32::from(self.dice.roll(4)) + round) % 4 {
                0 => self.end_at_bedrock(name),
                1 => {
                    let _ = self.state(|_, _| Event::Reconcile).await;
                }
                _ => {
                    let arn = self.services.world().jobs.iter().find(|job| job.name == name).map(|job| job.arn.clone());
                    if let Some(arn) = arn {
                        let event = json!({"name": name, "arn": arn});
                        self.state(|_, _| Event::Settle(event.clone())).await.unwrap();
                    }
                }
            }
        }
        panic!("the run hangs");
    }

    /// Ends a job at Bedrock.
    fn end_at_bedrock(&mut self, name: &str) {
        let mut world = self.services.world();
        let Some(job) = world.jobs.iter().position(|job| job.name == name && !job.is_over()) else { return };
        let (status, message) = match self.dice.roll(20) {
            13 => ("Failed", Some("The gasket blew.")),
            14 => ("PartiallyCompleted", None),
            15 => ("Expired", None),
            16 => ("Stopped", None),
            17 | 18 => ("Failed", Some("Internal error. Please try again.")),
            19 => ("Failed", Some("Access denied to s3://own/x")),
            _ => ("Completed", None),
        };
        world.end_job(job, status);
        world.jobs[job].message = message.map(str::to_owned);
        world.pass_time();
    }

    /// Collects the run, once all of its jobs are over.
    async fn collect(&mut self) {
        let input = json!({"collect_run": "r"});
        for _ in 0..20 {
            match Box::pin(self.execute(&input)).await {
                End::Finished => return,
                End::Failed(error) => assert_eq!(error, "InvalidInput", "its jobs are not over yet"),
                End::Stopped => panic!("collecting is not stopped"),
            }
            let names: Vec<String> = self.services.world().jobs.iter().map(|job| job.name.clone()).collect();
            for name in names {
                self.end_at_bedrock(&name);
                let arn = self.services.world().jobs.iter().find(|job| job.name == name).unwrap().arn.clone();
                let event = json!({"name": name, "arn": arn});
                self.state(|_, _| Event::Settle(event.clone())).await.unwrap();
            }
        }
        panic!("the run cannot be collected");
    }
}

async fn play(script: Script) {
    let mut machine = Machine::new(&script).await;
    let mut input = script.input();
    let mut stops = script.stops.clone().into_iter();
    let mut end = None;
    while end != Some(End::Finished) {
        assert!(machine.executions < 25, "the run cannot be completed");
        let stop = stops.next();
        machine.items_left = stop.map(|(items, _)| items);
        let ended = Box::pin(machine.execute(&input)).await;
        machine.items_left = None;
        if !machine.services.world().objects.contains_key("runs/r/plan.json") {
            // In batch mode, a job needs more rows.
            assert!(script.mode == "batch" && script.rows <= 2 * MINIMUM, "{ended:?} before anything was written");
            return;
        }
        input = json!({"resume_run": "r"});
        if ended != End::Finished && stop.is_some_and(|(_, collects)| collects) {
            Box::pin(machine.collect()).await;
            check(&script, &machine);
        }
        end = Some(ended);
    }
    check(&script, &machine);
    check_guarded_cells(&machine);
    // Stragglers that continue after the end change nothing.
    let before = machine.services.world().objects.clone();
    while !machine.stragglers.is_empty() {
        machine.let_through(0, u32::MAX).await;
    }
    for (key, object) in &before {
        assert!(machine.services.world().objects.get(key) == Some(object), "{key} was changed by a straggler");
    }
    check(&script, &machine);
}

/// Checks that every row is in the output once, with its answer or its reason, and that nothing was paid twice.
fn check(script: &Script, machine: &Machine) {
    let world = machine.services.world();
    // Rows that equal each other may be sent one by one, if that keeps a run in batch, and are in the wide layout.
    let mut rows_of_text: BTreeMap<String, u32> = BTreeMap::new();
    for row in 0..script.rows {
        for prompt in script.prompts() {
            *rows_of_text.entry(sent(prompt, &script.text(row))).or_default() += 1;
        }
    }
    for (text, times) in &world.paid {
        assert!(*times <= rows_of_text[text], "`{text}` was answered {times} times");
    }
    let files = world.objects.iter().filter(|(key, _)| is_output(key, ".parquet"));
    let mut rows: BTreeMap<String, Vec<(String, Option<String>)>> = BTreeMap::new();
    for (_, file) in files {
        for batch in ParquetRows::open(Bytes::from(file.clone()), "out", None).unwrap().1 {
            collect_rows(script, &batch.unwrap(), &mut rows);
        }
    }
    assert_eq!(rows.len(), script.rows as usize, "every row comes out");
    for row in 0..script.rows {
        let found = &rows[&format!("r{row:09}")];
        let expected: Vec<String> = script.prompts().iter().map(|prompt| sent(prompt, &script.text(row))).collect();
        let mut texts: Vec<&String> = found.iter().map(|(text, _)| text).collect();
        texts.sort();
        let mut wanted: Vec<&String> = expected.iter().collect();
        wanted.sort();
        assert_eq!(texts, wanted, "row {row} comes out once per prompt");
        for (text, answer) in found {
            let paid = world.paid.get(text).copied().unwrap_or(0);
            assert!(answer.is_none() || paid > 0, "an answer comes from the model: {text}");
            assert!(
                answer.is_some() || paid < rows_of_text[text],
                "an answer that was paid for is in the output: {text}"
            );
            if let Some(answer) = answer {
                assert_eq!(answer, &format!("answer to {text}"));
            }
        }
    }
    // Each job is known to the table.
    for job in &world.jobs {
        assert_eq!(world.attribute(&job.name, "job_arn").as_ref(), Some(&job.arn), "one job per name");
    }
}

fn is_output(key: &str, extension: &str) -> bool {
    key.starts_with(OUTPUT) && key.ends_with(extension)
}

/// Checks that the summary counts the cells that are guarded in the CSV files.
fn check_guarded_cells(machine: &Machine) {
    let world = machine.services.world();
    let files = world.objects.iter().filter(|(key, _)| is_output(key, ".csv"));
    let guarded: usize = files.map(|(_, file)| String::from_utf8_lossy(file).matches("'=row").count()).sum();
    let summary: Value = serde_json::from_slice(&world.objects["runs/r/summary.json"]).unwrap();
    assert_eq!(summary["summary"]["guarded_cells"], json!(guarded));
}

fn sent(prompt: &str, text: &str) -> String {
    if prompt == "plain" { text.to_owned() } else { format!("{prompt} {text}") }
}

type Cells = Vec<Option<String>>;

/// Adds the texts that were sent for each row, with their answers.
fn collect_rows(script: &Script, batch: &RecordBatch, rows: &mut BTreeMap<String, Vec<(String, Option<String>)>>) {
    let cells = |name: &str| {
        let column = as_text(batch.column_by_name(name).unwrap_or_else(|| panic!("{name}: {:?}", batch.schema())));
        let column = column.unwrap();
        column.iter().map(|cell| cell.map(str::to_owned)).collect::<Cells>()
    };
    let (ids, texts) = (cells("record_id"), cells("text"));
    let prompts: Vec<(Cells, Cells)> = match script.layout {
        Layout::Single => vec![(vec![Some("plain".to_owned()); ids.len()], cells("response"))],
        Layout::Long => vec![(cells("prompt_id"), cells("response"))],
        Layout::Wide => {
            let of =
                |prompt: &&str| (vec![Some((*prompt).to_owned()); ids.len()], cells(&format!("{prompt}_response")));
            script.prompts().iter().map(of).collect()
        }
    };
    for (names, answers) in prompts {
        for row in 0..ids.len() {
            let (id, text) = (ids[row].clone().unwrap(), texts[row].clone().unwrap());
            let sent = sent(names[row].as_ref().unwrap(), &text);
            rows.entry(id).or_default().push((sent, answers[row].clone()));
        }
    }
}

fn scripts() -> impl Strategy<Value = Script> {
    (
        (4u32..40, prop::sample::select(vec!["auto", "batch", "realtime"]), 0u32..3),
        prop::collection::vec(prop::option::weighted(0.15, any::<u8>()), 0..40),
        prop::sample::select(vec![Layout::Single, Layout::Single, Layout::Long, Layout::Wide]),
        prop::bool::weighted(0.15),
        prop::collection::vec((0u8..25, any::<bool>()), 0..3),
        prop::collection::vec(any::<u8>(), 0..600),
    )
        .prop_map(|((rows, mode, max_rounds), equals, layout, has_no_batch, stops, dice)| Script {
            rows,
            mode,
            max_rounds,
            equals,
            layout,
            has_no_batch,
            stops,
            dice,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn every_row_comes_out_once_and_nothing_is_paid_twice_whatever_late_functions_do(script in scripts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(script));
        // Functions that were never continued hold threads.
        runtime.shutdown_background();
    }
}
