//! Form of CSV files.

use bedrock_batch_domain::input::ENCODINGS;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Form of the CSV files of the input, where it is not found from the files.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct CsvOptions {
    /// Character between cells. Default: the one of `,`, `;`, tab and `|` that divides all lines of a file.
    #[schemars(length(min = 1, max = 1))]
    delimiter: Option<String>,
    /// Character around cells; empty if quotes have no meaning. Default: `"`.
    #[schemars(length(max = 1))]
    quote: Option<String>,
    /// Character that makes the next one stand for itself within quotes, such as a backslash. Default: quotes are doubled.
    #[schemars(length(min = 1, max = 1))]
    escape: Option<String>,
    /// Encoding of the text. Default: UTF-8, or UTF-16 with a mark.
    encoding: Option<Encoding>,
    /// If true, the first line has the names of the columns. If false, there are none, and columns are called `column_1` and so
    /// on. A list has the names of all columns of files without a header. Default: true.
    header: Option<Header>,
    /// Character at the beginning of lines that are left out.
    #[schemars(length(min = 1, max = 1))]
    comment: Option<String>,
    /// Number of lines before the header. Default: 0.
    #[schemars(range(min = 0, max = 10_000))]
    skip_rows: Option<u64>,
    /// Cells that stand for null, such as `NA`.
    #[schemars(extend("maxItems" = 100))]
    null_values: Option<Vec<String>>,
    /// If true, text after closing quotes, quotes after spaces, repeated headers and cells that look like rows are read as they
    /// are. Default: false, they are refused.
    lenient: Option<bool>,
}

/// Names of the columns.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Header {
    InFile(bool),
    Names(Vec<String>),
}

/// Encoding of text. Case does not matter.
struct Encoding;

impl JsonSchema for Encoding {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Encoding".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ENCODINGS})
    }
}
