//! `bedrock-batch show`: prints the first answers without downloading all of them.

use crate::download::fetch;
use crate::failure::Failure;
use crate::outputs::{files, has_guarded_cells, open, single_format};
use crate::private_folder::PrivateFolder;
use crate::stack::Stack;
use crate::table::{Table, single_line};
use crate::terminal::{outln, width};
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::columns::{
    ATTEMPTS, EMBEDDING, ERROR, INPUT_TOKENS, MODEL_ID, OUTPUT_TOKENS, PARSE_STATUS, PROMPT_ID, RECORD_ID, RESPONSE,
    STATUS, STOP_REASON, VALIDATION_PASSED, prefixed,
};
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_domain::reference::reference_of;
use bedrock_batch_engine::objects::ObjectMeta;
use bedrock_batch_engine::rows::cell_text::as_text;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the run; the name of a pipeline run means its last stage
    run: String,
    /// Number of rows
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Columns to show, in this order [default: those that the prompt inserts, and the answer]
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Stage of the pipeline run to show in place of the last one
    #[arg(long)]
    stage: Option<String>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let run = stack.resolve_run(&arguments.run, arguments.stage.as_deref()).await?;
    let found = single_format(files(stack, &run, true).await?, |found| &found.uri.key);
    let selection = if arguments.columns.is_empty() {
        stack.plan(&run).await?.as_ref().map_or_else(ColumnSelection::default, ColumnSelection::of)
    } else {
        ColumnSelection::Named(arguments.columns.clone())
    };
    let folder = PrivateFolder::temporary()?;
    let are_guarded = has_guarded_cells(stack, &run).await?;
    let table = first_rows(stack, &found, (&folder, are_guarded), arguments.rows, &selection).await?;
    for line in table.lines(width()) {
        outln!("{line}");
    }
    Ok(())
}

/// Maximum number of characters of a list of columns in a message.
const MAX_LISTED_CHARS: usize = 4000;

/// Selection of the columns to show.
#[derive(Debug, PartialEq, Eq)]
enum ColumnSelection {
    /// Columns that the user named.
    Named(Vec<String>),
    /// Columns that the prompts insert, and the fields of their answers.
    OfPrompts { inserted: Vec<String>, fields: Vec<String>, prefix: Option<String> },
}

impl Default for ColumnSelection {
    fn default() -> Self {
        Self::OfPrompts { inserted: Vec::new(), fields: Vec::new(), prefix: None }
    }
}

impl ColumnSelection {
    fn of(plan: &Plan) -> Self {
        let prefix = plan.request.answers.output_column_prefix.clone();
        let mut inserted = Vec::new();
        for prompt in prompts(plan) {
            let is_column =
                |name: &String| reference_of(name).is_none_or(|name| !plan.request.references.contains_key(name));
            let columns = prompt.columns().into_iter().filter(is_column);
            inserted.extend(columns.filter(|name| !inserted.contains(name)).collect::<Vec<_>>());
        }
        let (_, fields) = plan.prompts.readers().unwrap_or_default();
        let fields = fields.iter().map(|name| prefixed(prefix.as_deref(), name)).collect();
        Self::OfPrompts { inserted, fields, prefix }
    }

    /// Selects from the columns of a file.
    fn select(&self, available: &[&str]) -> Result<Vec<String>, Failure> {
        let is_available = |name: &&str| available.contains(name);
        let (inserted, fields, prefix) = match self {
            Self::Named(names) => {
                if let Some(missing) = names.iter().find(|name| !is_available(&name.as_str())) {
                    let columns = printable::shortened(&available.join(", "), MAX_LISTED_CHARS);
                    return Err(Failure::Usage(format!(
                        "column `{missing}` does not exist: the columns are {columns}"
                    )));
                }
                return Ok(names.clone());
            }
            Self::OfPrompts { inserted, fields, prefix } => (inserted, fields, prefix.as_deref()),
        };
        let added = |name: &str| prefixed(prefix, name);
        // Rows with the answers to several prompts have columns for each prompt.
        if !is_available(&added(RESPONSE).as_str()) && !is_available(&added(EMBEDDING).as_str()) {
            return Ok(available
                .iter()
                .filter(|name| !is_bookkeeping(name, prefix))
                .map(|name| (*name).to_owned())
                .collect());
        }
        let existing =
            |names: &[String]| names.iter().map(String::as_str).filter(is_available).map(str::to_owned).collect();
        let (inserted, fields): (Vec<String>, Vec<String>) = (existing(inserted), existing(fields));
        let mut columns = vec![RECORD_ID.to_owned()];
        // Prompts over images need not insert any column.
        if inserted.is_empty() && is_available(&FILE_NAME) {
            columns.push(FILE_NAME.to_owned());
        }
        columns.extend(inserted);
        columns.push(added(PROMPT_ID));
        // The fields hold the content of the response in a more readable form.
        columns.extend(if fields.is_empty() { vec![added(RESPONSE)] } else { fields });
        columns.extend([added(EMBEDDING), added(ERROR)]);
        let mut unique: Vec<String> = Vec::new();
        for name in columns {
            if is_available(&name.as_str()) && !unique.contains(&name) {
                unique.push(name);
            }
        }
        Ok(unique)
    }
}

/// Column with the file name of an image, in runs over a folder of images.
const FILE_NAME: &str = "file_name";

/// Returns true for columns that are rarely of interest.
fn is_bookkeeping(column: &str, prefix: Option<&str>) -> bool {
    let added = prefix.and_then(|prefix| column.strip_prefix(prefix));
    // Only added columns are a status: a user's `order_status` is not.
    let status: &[&str] = if added.is_some() { &[STATUS, VALIDATION_PASSED, PARSE_STATUS] } else { &[] };
    let column = added.unwrap_or(column);
    let names = [STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID];
    names
        .iter()
        .chain(status)
        .any(|name| column == *name || column.strip_suffix(name).is_some_and(|before| before.ends_with('_')))
}

/// Returns the prompts of a run.
fn prompts(plan: &Plan) -> impl Iterator<Item = &Prompt> {
    plan.prompts.prompts.iter().map(|named| &named.prompt)
}

async fn first_rows(
    stack: &Stack,
    found: &[ObjectMeta],
    (folder, are_guarded): (&PrivateFolder, bool),
    rows: usize,
    selection: &ColumnSelection,
) -> Result<Table, Failure> {
    let mut left = rows;
    let mut table = Table::default();
    for object in found {
        if left == 0 {
            break;
        }
        let path = fetch(stack, object, folder).await?;
        for batch in open(&path, are_guarded)? {
            let batch = batch?;
            let rows = batch.slice(0, batch.num_rows().min(left));
            left -= rows.num_rows();
            add(&mut table, &rows, selection)?;
            if left == 0 {
                break;
            }
        }
    }
    Ok(table)
}

fn add(table: &mut Table, batch: &RecordBatch, selection: &ColumnSelection) -> Result<(), Failure> {
    let schema = batch.schema();
    let available: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let names = selection.select(&available)?;
    let columns = names.iter().filter_map(|name| batch.column_by_name(name));
    let columns: Vec<_> = columns.map(as_text).collect::<Result<_, _>>()?;
    table.header = names.iter().map(|name| single_line(name)).collect();
    for row in 0..batch.num_rows() {
        let cell =
            |column: &arrow_array::StringArray| if column.is_null(row) { "" } else { column.value(row) }.to_owned();
        table.rows.push(columns.iter().map(|column| single_line(&cell(column))).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn of_prompts(inserted: &[&str], fields: &[&str]) -> ColumnSelection {
        ColumnSelection::OfPrompts { inserted: owned(inserted), fields: owned(fields), prefix: None }
    }

    #[test]
    fn columns_with_a_prefix_are_found() {
        let selection = ColumnSelection::OfPrompts {
            inserted: owned(&["topic"]),
            fields: owned(&["llm_mood"]),
            prefix: Some("llm_".to_owned()),
        };
        let available = ["record_id", "topic", "llm_response", "llm_mood", "llm_status", "llm_error", "llm_model_id"];
        assert_eq!(selection.select(&available).unwrap(), ["record_id", "topic", "llm_mood", "llm_error"]);
        let wide = [
            "record_id",
            "order_status",
            "llm_a_response",
            "llm_a_status",
            "llm_a_error",
            "llm_a_model_id",
            "llm_status",
            "llm_error",
        ];
        let expected = ["record_id", "order_status", "llm_a_response", "llm_a_error", "llm_error"];
        assert_eq!(selection.select(&wide).unwrap(), expected);
    }

    #[test]
    fn named_columns_are_shown_in_the_given_order() {
        let selection = ColumnSelection::Named(owned(&["title", "file_name"]));
        assert_eq!(selection.select(&["record_id", "file_name", "title"]).unwrap(), ["title", "file_name"]);
        let refused = selection.select(&["record_id", "title"]).unwrap_err().to_string();
        assert_eq!(refused, "column `file_name` does not exist: the columns are record_id, title");
    }

    #[test]
    fn by_default_the_columns_of_the_prompt_and_the_answer_are_shown() {
        let available = ["record_id", "id", "topic", "response", "error", "stop_reason"];
        let text = of_prompts(&["topic"], &[]);
        assert_eq!(text.select(&available).unwrap(), ["record_id", "topic", "response", "error"]);
        let available =
            ["record_id", "image_path", "file_name", "response", "category", "error", "prompt_id", "model_id"];
        let image = of_prompts(&[], &["category"]);
        let expected = ["record_id", "file_name", "prompt_id", "category", "error"];
        assert_eq!(image.select(&available).unwrap(), expected);
    }

    #[test]
    fn wide_rows_show_the_answers_to_all_prompts() {
        let available =
            ["record_id", "name", "a_response", "a_model_id", "a_error", "b_response", "b_attempts", "error"];
        let expected = ["record_id", "name", "a_response", "a_error", "b_response", "error"];
        assert_eq!(of_prompts(&["name"], &[]).select(&available).unwrap(), expected);
    }
}
