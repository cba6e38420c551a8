//! `bedrock-batch show`: a look at the answers, without downloading them all.

use crate::download::fetch;
use crate::failure::Failure;
use crate::outputs::{files, of_one_format, open};
use crate::say::say;
use crate::stack::Stack;
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::columns::{EMBEDDING, ERROR, RECORD_ID, RESPONSE};
use bedrock_batch_engine::rows::cell_text::as_text;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name
    run: String,
    /// How many rows
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Columns to show beside the answer [default: the columns that the prompt shows the model]
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
}

/// Width of a cell, in characters.
const WIDEST: usize = 64;

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let found = of_one_format(files(stack, &arguments.run, true).await?, |found| &found.uri.key);
    let folder = std::env::temp_dir().join(format!("bedrock-batch-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let shown = show_first(stack, &found, &folder, arguments).await;
    std::fs::remove_dir_all(&folder)?;
    shown
}

async fn show_first(
    stack: &Stack,
    found: &[bedrock_batch_engine::objects::Found],
    folder: &std::path::Path,
    arguments: &Arguments,
) -> Result<(), Failure> {
    let mut columns = arguments.columns.clone();
    if columns.is_empty()
        && let Some(plan) = stack.plan(&arguments.run).await?
    {
        for named in &plan.prompts.prompts {
            let template = named.prompt.parsed_template().ok();
            let used = template.iter().flat_map(|template| template.columns()).map(str::to_owned);
            let new: Vec<String> = used.filter(|name| !columns.contains(name)).collect();
            columns.extend(new);
        }
    }
    let mut left = arguments.rows;
    let mut table = Table::default();
    for object in found {
        if left == 0 {
            break;
        }
        let path = fetch(stack, object, folder).await?;
        for batch in open(&path)? {
            let batch = batch?;
            let rows = batch.slice(0, batch.num_rows().min(left));
            left -= rows.num_rows();
            table.add(&rows, &columns)?;
            if left == 0 {
                break;
            }
        }
    }
    table.print();
    Ok(())
}

/// Cells of one width a column.
#[derive(Default)]
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn add(&mut self, batch: &RecordBatch, columns: &[String]) -> Result<(), Failure> {
        let asked = columns.iter().map(String::as_str);
        let wanted: Vec<&str> = [RECORD_ID].into_iter().chain(asked).chain([RESPONSE, EMBEDDING, ERROR]).collect();
        let there = wanted.iter().filter_map(|name| Some((*name, batch.column_by_name(name)?)));
        let there: Vec<_> = there.map(|(name, column)| Ok((name, as_text(column)?))).collect::<Result<_, Failure>>()?;
        self.header = there.iter().map(|(name, _)| (*name).to_owned()).collect();
        for row in 0..batch.num_rows() {
            let cell =
                |column: &arrow_array::StringArray| if column.is_null(row) { "" } else { column.value(row) }.to_owned();
            self.rows.push(there.iter().map(|(_, column)| one_line(&cell(column))).collect());
        }
        Ok(())
    }

    /// Without the columns in which nothing stands, such as `error` where all went well.
    fn print(&mut self) {
        for column in (0..self.header.len()).rev() {
            if self.rows.iter().all(|row| row[column].is_empty()) {
                self.header.remove(column);
                self.rows.iter_mut().for_each(|row| {
                    row.remove(column);
                });
            }
        }
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row.get(column).map_or(0, |cell| cell.chars().count()));
            cells.chain([self.header[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let print = |cells: &[String]| {
            let line: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            say!("  {}", line.join("  ").trim_end());
        };
        print(&self.header);
        print(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| print(row));
    }
}

fn one_line(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= WIDEST {
        return flat;
    }
    flat.chars().take(WIDEST - 1).chain(['…']).collect()
}
