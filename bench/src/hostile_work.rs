//! Time that hostile answers and requests take, as a multiple of plain ones of the same size.

use crate::measure::Failure;
use bedrock_batch_domain::extract::Extractor;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::prompt::{OutputSchema, SchemaType};
use clap::Args;
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::time::Instant;

/// Sizes of the answers in bytes.
const SIZES: [usize; 3] = [4_000, 8_000, 32_000];

#[derive(Debug, Args)]
pub(crate) struct Hostile {
    /// Number of times that each text is read; the fastest counts
    #[arg(long, default_value_t = 20)]
    repeats: u32,
}

impl Hostile {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let mut figures = Map::new();
        for bytes in SIZES {
            let plain_path = extractor("$.answer")?;
            let plain = self.fastest(|| drop(black_box(plain_path.extract(&plain_answer(bytes), None))));
            for (name, path, text) in hostile_answers(bytes) {
                let extractor = extractor(path)?;
                let taken = self.fastest(|| drop(black_box(extractor.extract(&text, Some("end_turn")))));
                figures.insert(format!("{name}, {bytes} bytes"), rounded(taken / plain));
            }
        }
        let request = |keys: usize| -> Value {
            let mut object: Map<String, Value> = (0..keys).map(|n| (format!("model_i{n:06}"), json!("x"))).collect();
            object.insert("model_id".to_owned(), json!("m"));
            Value::Object(object)
        };
        let limits = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
        let read = |request: &Value| drop(black_box(RunRequest::read(request, limits)));
        let (few, many) = (request(25), request(50_000));
        let few = self.fastest(|| read(&few));
        figures.insert("50,000 unknown fields, against 25".to_owned(), rounded(self.fastest(|| read(&many)) / few));
        Ok(Value::Object(figures))
    }

    /// Returns the seconds that the fastest repetition takes.
    fn fastest(&self, mut work: impl FnMut()) -> f64 {
        let seconds = (0..self.repeats.max(1)).map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed().as_secs_f64()
        });
        seconds.fold(f64::INFINITY, f64::min)
    }
}

fn rounded(ratio: f64) -> Value {
    json!((ratio * 10.0).round() / 10.0)
}

fn extractor(path: &str) -> Result<Extractor, Failure> {
    let fields = vec![("answer".to_owned(), path.to_owned())];
    Ok(Extractor::new(&OutputSchema { schema_type: SchemaType::Json, fields }, None)?)
}

/// Returns an answer of about this size, as models write them.
fn plain_answer(bytes: usize) -> String {
    let item = json!({"name": "a word", "score": 0.5, "tags": ["one", "two"]}).to_string();
    let items = vec![item.as_str(); bytes / item.len()].join(",");
    format!("{{\"answer\": \"x\", \"items\": [{items}]}}")
}

/// Returns names, paths and texts of answers that were made to take long.
fn hostile_answers(bytes: usize) -> Vec<(&'static str, &'static str, String)> {
    let filled = |part: &str| part.repeat(bytes / part.len());
    let deep = format!("[{}]", vec![format!("{}{}", "[".repeat(100), "]".repeat(100)); bytes / 201].join(","));
    vec![
        ("brackets that break at the end", "$.answer", format!("{}x", filled("["))),
        ("lists that break at the end", "$.answer", format!("{}x", filled("[1,"))),
        ("numbers that break at the end", "$.answer", format!("[{}x", filled("1,"))),
        ("texts that break at the end", "$.answer", format!("[{}x", filled("\"\","))),
        ("empty lists in a broken value", "$.answer", format!("[{}x", filled("[],"))),
        ("objects that break at the end", "$.answer", format!("{}x", filled("{\"a\":["))),
        ("values in a broken value", "$.answer", format!("[{}x", filled("[[1],[2]],"))),
        ("broken values with curly quotes", "$.answer", format!("“{}x“", filled("[“a”,"))),
        ("Python that breaks at the end", "$.answer", format!("{{{}x", filled("'a': [True, None,],"))),
        ("Python values in a broken value", "$.answer", format!("[{}x", filled("{'a': 1},"))),
        ("small Python values without the field", "$.answer", filled("{'a': 1} ")),
        ("line breaks in a text that never ends", "$.answer", format!("{{\"a\": \"{}", filled("\n\\_"))),
        ("comments", "$.answer", format!("{{{}x", filled("/*{*/"))),
        ("comments that never end", "$.answer", filled("{/*")),
        ("brackets of full width", "$.answer", filled("｛'a'：［1，")),
        ("numbers in brackets of full width", "$.answer", format!("{}[{}x", "｛'a'：".repeat(4), filled("1,"))),
        ("quotes of two kinds", "$.answer", format!("{{{}x", filled("“a”: '„b\"', "))),
        ("long numbers", "$.answer", format!("[{}1]", filled("12345678901234567890123,"))),
        ("wrappers", "$.answer", format!("[{}1]", filled("[[[{\"a\":1}]]],"))),
        ("fences of Python", "$.answer", filled("```{'a': '")),
        ("fences", "$.answer", format!("{}x", filled("```[\"a\",\n"))),
        ("deep values, every value", "$..*", deep.clone()),
        ("deep values, every value of each value", "$..*..*", deep.clone()),
        ("deep values, a filter that searches all", "$..[?@..a]", deep),
    ]
}
