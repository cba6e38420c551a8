//! Extraction of fields from the texts of answers into Arrow columns, from memory to memory.

use crate::measure::{Failure, measured};
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef};
use bedrock_batch_domain::extract::{Cell, ColumnType, FieldKinds, FieldValue};
use bedrock_batch_domain::prompt::Prompt;
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct Extract {
    /// Prompt template with an output schema
    #[arg(long)]
    template: PathBuf,
    /// File with one line per answer: `{"text": …, "stop_reason": …}`
    #[arg(long)]
    texts: PathBuf,
    /// Output file for the fields, one line of JSON per answer, written after the measurement
    #[arg(long)]
    out: PathBuf,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    stop_reason: Option<String>,
}

/// Fields of an answer, if it has any.
type Fields = Option<Vec<Option<FieldValue>>>;

impl Extract {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let prompt = Prompt::parse(&std::fs::read_to_string(&self.template)?)?;
        let extractor = prompt.extractor()?.ok_or("the template has no output schema")?;
        let texts = std::fs::read_to_string(&self.texts)?;
        let answers: Vec<Answer> = texts.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        drop(texts);
        let mut found: Vec<Fields> = Vec::new();
        let figures = measured(|| {
            found = answers
                .iter()
                .map(|answer| extractor.extract(&answer.text, answer.stop_reason.as_deref()).ok())
                .collect();
            let columns = columns(extractor.names().len(), &found);
            Ok::<_, Failure>(columns.iter().map(|column| column.len()).max().unwrap_or(0) as u64)
        })?;
        let mut out = BufWriter::new(File::create(&self.out)?);
        for fields in &found {
            let line: Map<String, Value> = extractor
                .names()
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    let value = fields.as_ref().and_then(|fields| fields.get(at)?.as_ref());
                    Ok::<_, serde_json::Error>((name.clone(), serde_json::to_value(value)?))
                })
                .collect::<Result<_, _>>()?;
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(figures)
    }
}

/// Creates one column per field, of the type that fits all of its values.
fn columns(fields: usize, found: &[Fields]) -> Vec<ArrayRef> {
    let columns = (0..fields).map(|at| {
        let values = || found.iter().map(move |fields| fields.as_ref().and_then(|fields| fields.get(at)?.as_ref()));
        let mut kinds = FieldKinds::default();
        values().flatten().for_each(|value| kinds.record(value));
        let column = kinds.column_type();
        let cells = values().map(|value| value.and_then(|value| column.cell(value)));
        array(column, cells)
    });
    columns.collect()
}

/// Initial capacity per text, in bytes.
const TEXT_BYTES: usize = 8;

fn array<'v>(column: ColumnType, cells: impl ExactSizeIterator<Item = Option<Cell<'v>>>) -> ArrayRef {
    let rows = cells.len();
    macro_rules! filled {
        ($builder:expr, $kind:ident) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Some(Cell::$kind(value)) => builder.append_value(value),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    match column {
        ColumnType::Integer => filled!(Int64Builder::with_capacity(rows), Integer),
        ColumnType::Float => filled!(Float64Builder::with_capacity(rows), Float),
        ColumnType::Boolean => filled!(BooleanBuilder::with_capacity(rows), Boolean),
        ColumnType::Text => filled!(StringBuilder::with_capacity(rows, TEXT_BYTES * rows), Text),
        ColumnType::List => {
            let mut builder = ListBuilder::with_capacity(StringBuilder::new(), rows);
            for cell in cells {
                let texts = match cell {
                    Some(Cell::List(texts)) => Some(texts),
                    _ => None,
                };
                for text in texts.into_iter().flatten() {
                    builder.values().append_option(text.as_deref());
                }
                builder.append(texts.is_some());
            }
            Arc::new(builder.finish())
        }
    }
}
