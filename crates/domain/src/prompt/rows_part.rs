//! The part of a prompt that is repeated for each row of a request.

use super::{OutputSchema, Piece, SchemaType, Template};
use crate::extract::describes_member;
use crate::problem::{Problem, listed};
use crate::reference::reference_of;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Placeholder of the prompt's template where the rows go.
pub const ROWS: &str = "rows";
/// Placeholder for the number of a row within its request, from 1.
pub const ROW_ID: &str = "row_id";

/// Part of a prompt that is repeated for each row of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsPart {
    /// Text of one row, with `{column}` placeholders and `{row_id}`.
    pub template: String,
}

impl RowsPart {
    /// Returns the parsed template.
    ///
    /// # Errors
    /// Returns an error like [`Template::parse`].
    pub fn parsed_template(&self) -> Result<Template, String> {
        Template::parse(&self.template).map_err(|error| format!("`rows.template` has {error}"))
    }

    /// Returns the columns that a row's text inserts.
    pub(super) fn columns(&self) -> BTreeSet<String> {
        let template = self.parsed_template();
        let names = template.iter().flat_map(Template::columns).filter(|name| *name != ROW_ID);
        names.map(str::to_owned).collect()
    }

    /// Returns the problems of this template and that of its prompt, `outer_text`, which can both be parsed.
    pub(super) fn template_problems(&self, outer_text: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let outer = Template::parse(outer_text);
        let pieces = || outer.iter().flat_map(Template::pieces);
        let is_rows = |piece: &&Piece| matches!(piece, Piece::Column(name) if name == ROWS);
        if pieces().filter(is_rows).count() != 1 {
            let rule = "must show `{rows}` exactly once in a prompt with a part `rows`";
            let remedy = "write `{rows}` where the rows of a request go";
            problems.push(Problem::new("template", outer_text, rule).remedy(remedy));
        }
        // References are the same for all rows.
        let is_of_a_row = |name: &&str| *name != ROWS && reference_of(name).is_none();
        let others: Vec<&str> = outer.iter().flat_map(Template::columns).filter(is_of_a_row).collect();
        if !others.is_empty() {
            let rule =
                format!("shows {}, but a request has several rows, which only `rows.template` shows", listed(&others));
            problems.push(Problem::new("template", outer_text, rule).remedy("move it to `rows.template`"));
        }
        let inner = self.parsed_template();
        let shown: BTreeSet<&str> = inner.iter().flat_map(Template::columns).collect();
        if !shown.contains(ROW_ID) {
            let rule = "must show `{row_id}`, by which the answer to each row is found";
            let remedy = "for example `<row id=\"{row_id}\">{text}</row>`";
            problems.push(Problem::new("rows.template", &self.template, rule).remedy(remedy));
        }
        if shown.iter().all(|name| *name == ROW_ID) {
            let rule = "shows no column, so that all rows are the same";
            problems.push(Problem::new("rows.template", &self.template, rule).remedy("insert a column, as `{column}`"));
        }
        problems
    }
}

/// Returns the problems of schemas that expect the `id` of an element, which is removed before they are applied.
pub(super) fn schema_problems(output_schema: Option<&OutputSchema>, schema: Option<&Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let rule = "expects `id`, which identifies the row and is no part of its answer";
    let of_json = output_schema.iter().filter(|schema| schema.schema_type == SchemaType::Json);
    for (name, path) in of_json.flat_map(|schema| &schema.fields) {
        if ["$.id", "$['id']", "$[\"id\"]"].contains(&path.trim()) {
            let problem = Problem::new(format!("output_schema.fields.{name}"), path, rule);
            problems.push(problem.remedy("leave it out; the column `record_id` has the id of the input's row"));
        }
    }
    let remedy = "describe one element of the list, without `id`";
    if schema.is_some_and(|schema| describes_member(schema, "id")) {
        problems.push(Problem::without_value("response_schema", rule).remedy(remedy));
    }
    if schema.and_then(|schema| schema.get("type")).is_some_and(|kind| kind == "array") {
        let rule = "describes a list, but it is applied to the answer to each row";
        problems.push(Problem::without_value("response_schema", rule).remedy(remedy));
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::prompt::Prompt;
    use rstest::rstest;

    fn prompt(template: &str, rows: &str, more: &str) -> Result<Prompt, String> {
        Prompt::parse(&format!("description = \"d\"\ntemplate = '{template}'\n{more}\n[rows]\ntemplate = '{rows}'"))
    }

    #[test]
    fn the_columns_are_those_of_the_rows() {
        let prompt = prompt("Classify: {rows}", "<t id=\"{row_id}\">{text} {kind}</t>", "").unwrap();
        assert_eq!(prompt.columns(), ["kind", "text"].map(str::to_owned).into());
        let read: Prompt = serde_json::from_value(serde_json::to_value(&prompt).unwrap()).unwrap();
        assert_eq!(read, prompt);
    }

    #[test]
    fn without_the_part_rows_is_the_name_of_a_column() {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"{rows} {row_id}\"").unwrap();
        assert_eq!(prompt.columns(), ["row_id", "rows"].map(str::to_owned).into());
        assert_eq!(serde_json::to_value(&prompt).unwrap().get("rows"), None, "stored plans stay as they are");
    }

    #[rstest]
    #[case("Classify", "{row_id} {text}", "", "template is `Classify`: must show `{rows}` exactly once")]
    #[case("{rows} {rows}", "{row_id} {text}", "", "template is `{rows} {rows}`: must show `{rows}` exactly once")]
    #[case(
        "{rows} {kind}",
        "{row_id} {text}",
        "",
        "template is `{rows} {kind}`: shows `kind`, but a request has several"
    )]
    #[case("{rows}", "{text}", "", "rows.template is `{text}`: must show `{row_id}`, by which")]
    #[case("{rows}", "{row_id}", "", "rows.template is `{row_id}`: shows no column")]
    #[case("{rows}", "{row_id} {", "", "rows.template is `{row_id} {`: has a `{` at line 1, column 10")]
    #[case("{rows}", " ", "", "rows.template: is empty")]
    #[case(
        "{rows}",
        "{row_id} {text}",
        "[output_schema]\ntype = \"json\"\nfields = { n = \"$.id\" }",
        "output_schema.fields.n is `$.id`: expects `id`, which identifies the row"
    )]
    #[case(
        "{rows}",
        "{row_id} {text}",
        "[output_schema]\ntype = \"json\"\nfields = { n = \"$.n\" }\n[response_schema]\nrequired = [\"id\"]",
        "response_schema: expects `id`, which identifies the row"
    )]
    #[case(
        "{rows}",
        "{row_id} {text}",
        "[response_schema]\n\"$ref\" = \"#/$defs/a\"\n[response_schema.\"$defs\".a.properties]\nid = { type = \"string\" }\nn = {}",
        "response_schema: expects `id`, which identifies the row"
    )]
    #[case(
        "{rows}",
        "{row_id} {text}",
        "[output_schema]\ntype = \"json\"\nfields = { n = \"$.n\" }\n[response_schema]\ntype = \"array\"",
        "response_schema: describes a list, but it is applied to the answer to each row"
    )]
    fn mistakes_are_reported_with_their_field(
        #[case] template: &str,
        #[case] rows: &str,
        #[case] more: &str,
        #[case] expected: &str,
    ) {
        let error = prompt(template, rows, more).unwrap_err();
        assert!(error.lines().any(|line| line.starts_with(expected)), "{error}");
    }

    #[test]
    fn unknown_fields_of_the_part_are_reported() {
        let error = Prompt::parse("description = \"d\"\ntemplate = \"{rows}\"\n[rows]\ntemplates = \"x\"").unwrap_err();
        assert!(error.contains("unknown field `templates`"), "{error}");
    }
}
