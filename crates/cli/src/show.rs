//! `bedrock-batch show`: a look at the answers, without downloading them all.

use crate::download::fetch;
use crate::failure::Failure;
use crate::outputs::{files, of_one_format, open};
use crate::say::say;
use crate::stack::Stack;
use crate::table::{Table, flat};
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::columns::{
    ATTEMPTS, EMBEDDING, ERROR, INPUT_TOKENS, MODEL_ID, OUTPUT_TOKENS, PROMPT_ID, RECORD_ID, RESPONSE, STOP_REASON,
};
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_engine::objects::Found;
use bedrock_batch_engine::rows::cell_text::as_text;
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name; a pipeline run stands for its last stage
    run: String,
    /// How many rows
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// The columns to show, in this order [default: what the prompt shows the model, and its answer]
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Another stage of a pipeline run
    #[arg(long)]
    stage: Option<String>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let run = stack.run_meant(&arguments.run, arguments.stage.as_deref()).await?;
    let found = of_one_format(files(stack, &run, true).await?, |found| &found.uri.key);
    let wanted = if arguments.columns.is_empty() {
        stack.plan(&run).await?.as_ref().map_or(Wanted::ById(Vec::new(), Vec::new()), Wanted::of)
    } else {
        Wanted::Named(arguments.columns.clone())
    };
    let folder = std::env::temp_dir().join(format!("bedrock-batch-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let table = first_rows(stack, &found, &folder, arguments.rows, &wanted).await;
    std::fs::remove_dir_all(&folder)?;
    let terminal = console::Term::stdout();
    let width = terminal.is_term().then(|| usize::from(terminal.size().1));
    for line in table?.lines(width) {
        say!("{line}");
    }
    Ok(())
}

/// Which columns are shown.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// These.
    Named(Vec<String>),
    /// What the prompts show of a row, and the fields of their answers.
    ById(Vec<String>, Vec<String>),
}

impl Wanted {
    fn of(plan: &Plan) -> Self {
        let (mut shown, mut fields) = (Vec::new(), Vec::new());
        for prompt in prompts(plan) {
            let template = prompt.parsed_template().ok();
            let columns = template.iter().flat_map(|template| template.columns()).map(str::to_owned);
            shown.extend(columns.filter(|name| !shown.contains(name)).collect::<Vec<_>>());
            let names = prompt.output_schema.iter().flat_map(|schema| &schema.fields).map(|(name, _)| name.clone());
            fields.extend(names.filter(|name| !fields.contains(name)).collect::<Vec<_>>());
        }
        Self::ById(shown, fields)
    }

    /// The columns of a file to be shown.
    fn among(&self, there: &[&str]) -> Result<Vec<String>, Failure> {
        let is_there = |name: &&str| there.contains(name);
        let (shown, fields) = match self {
            Self::Named(names) => {
                if let Some(missing) = names.iter().find(|name| !is_there(&name.as_str())) {
                    let there = there.join(", ");
                    return Err(Failure::Usage(format!("there is no column `{missing}`: the columns are {there}")));
                }
                return Ok(names.clone());
            }
            Self::ById(shown, fields) => (shown, fields),
        };
        let named = |names: &[String]| names.iter().map(String::as_str).filter(is_there).map(str::to_owned).collect();
        let (shown, fields): (Vec<String>, Vec<String>) = (named(shown), named(fields));
        // A picture shows the model no column.
        let mut columns = vec![RECORD_ID.to_owned()];
        if shown.is_empty() && is_there(&FILE_NAME) {
            columns.push(FILE_NAME.to_owned());
        }
        columns.extend(shown);
        columns.push(PROMPT_ID.to_owned());
        // Fields say what the response says, more plainly.
        columns.extend(if fields.is_empty() { vec![RESPONSE.to_owned()] } else { fields });
        columns.extend([EMBEDDING.to_owned(), ERROR.to_owned()]);
        let mut once: Vec<String> = Vec::new();
        for name in columns {
            if is_there(&name.as_str()) && !once.contains(&name) {
                once.push(name);
            }
        }
        // Rows with the answers to several prompts have columns for each.
        if !is_there(&RESPONSE) && !is_there(&EMBEDDING) {
            return Ok(there.iter().filter(|name| !is_bookkeeping(name)).map(|name| (*name).to_owned()).collect());
        }
        Ok(once)
    }
}

/// The name of a picture, in runs over a folder of them.
const FILE_NAME: &str = "file_name";

/// What is of interest to few.
fn is_bookkeeping(column: &str) -> bool {
    let names = [STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID];
    names.iter().any(|name| column == *name || column.strip_suffix(name).is_some_and(|before| before.ends_with('_')))
}

/// The prompts of a run.
fn prompts(plan: &Plan) -> impl Iterator<Item = &Prompt> {
    plan.prompts.prompts.iter().map(|named| &named.prompt)
}

async fn first_rows(
    stack: &Stack,
    found: &[Found],
    folder: &Path,
    rows: usize,
    wanted: &Wanted,
) -> Result<Table, Failure> {
    let mut left = rows;
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
            add(&mut table, &rows, wanted)?;
            if left == 0 {
                break;
            }
        }
    }
    Ok(table)
}

fn add(table: &mut Table, batch: &RecordBatch, wanted: &Wanted) -> Result<(), Failure> {
    let schema = batch.schema();
    let there: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let names = wanted.among(&there)?;
    let columns = names.iter().filter_map(|name| batch.column_by_name(name));
    let columns: Vec<_> = columns.map(as_text).collect::<Result<_, _>>()?;
    table.header = names;
    for row in 0..batch.num_rows() {
        let cell =
            |column: &arrow_array::StringArray| if column.is_null(row) { "" } else { column.value(row) }.to_owned();
        table.rows.push(columns.iter().map(|column| flat(&cell(column))).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_those_that_were_asked_for() {
        let wanted = Wanted::Named(owned(&["title", "file_name"]));
        assert_eq!(wanted.among(&["record_id", "file_name", "title"]).unwrap(), ["title", "file_name"]);
        let refused = wanted.among(&["record_id", "title"]).unwrap_err().to_string();
        assert_eq!(refused, "there is no column `file_name`: the columns are record_id, title");
    }

    #[test]
    fn else_what_the_prompt_shows_and_its_answer() {
        let there = ["record_id", "id", "topic", "response", "error", "stop_reason"];
        let plain = Wanted::ById(owned(&["topic"]), Vec::new());
        assert_eq!(plain.among(&there).unwrap(), ["record_id", "topic", "response", "error"]);
        let there = ["record_id", "image_path", "file_name", "response", "category", "error", "prompt_id", "model_id"];
        let picture = Wanted::ById(Vec::new(), owned(&["category"]));
        let expected = ["record_id", "file_name", "prompt_id", "category", "error"];
        assert_eq!(picture.among(&there).unwrap(), expected);
    }

    #[test]
    fn answers_side_by_side_are_all_shown() {
        let there = ["record_id", "name", "a_response", "a_model_id", "a_error", "b_response", "b_attempts", "error"];
        let expected = ["record_id", "name", "a_response", "a_error", "b_response", "error"];
        assert_eq!(Wanted::ById(owned(&["name"]), Vec::new()).among(&there).unwrap(), expected);
    }
}
