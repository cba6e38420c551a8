//! Values of a list that a prompt holds between tags, for the parts of a form that name it: `a code from <codes>`.
//!
//! The list is CSV with a header, a JSON list of objects, or a JSON list of texts. The column or member is the one whose name
//! is a word of the part; of CSV, else the first one.

use serde_json::Value;

/// Returns the values of the list that `shown` names; none if it names no list of `prompt`.
pub(super) fn values(shown: &str, prompt: &str) -> Vec<String> {
    let Some(list) = tagged(shown, prompt) else { return Vec::new() };
    let wanted: Vec<String> = shown.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let is_wanted = |name: &str| !name.trim().is_empty() && wanted.contains(&name.trim().to_lowercase());
    match serde_json::from_str(list) {
        Ok(Value::Array(items)) => items.iter().filter_map(|item| of_item(item, is_wanted)).collect(),
        _ => of_table(list, is_wanted),
    }
}

/// Returns the text between the tags that `shown` names.
fn tagged<'p>(shown: &str, prompt: &'p str) -> Option<&'p str> {
    let name = shown.split_once('<')?.1.split_once('>')?.0;
    let (opening, closing) = (format!("<{name}>"), format!("</{name}>"));
    let (before, _) = prompt.split_once(&closing)?;
    let start = before.rfind(&opening)? + opening.len();
    before.get(start..).map(str::trim).filter(|text| !text.is_empty())
}

fn of_item(item: &Value, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    match item {
        Value::String(text) => Some(text.clone()),
        Value::Object(members) => {
            let member = members.iter().find(|(name, _)| is_wanted(name))?.1;
            member.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// Returns the cells of a column. Quoted cells with commas may only come after it.
fn of_table(table: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let at = header.split(',').position(is_wanted).unwrap_or(0);
    let cells = lines.filter_map(|line| line.split(',').nth(at)).map(|cell| cell.trim_matches(['"', ' ']).to_owned());
    cells.filter(|cell| !cell.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "Codes:\n<codes>\nterm,code,note\nLeak,A01,\"of water, or gas\"\nBreak,A02,\n</codes>\nText: <codes>";

    #[test]
    fn the_column_that_a_form_names_is_listed() {
        assert_eq!(values("a code from <codes>", TABLE), ["A01", "A02"]);
        assert_eq!(values("the Term of <codes>", TABLE), ["Leak", "Break"]);
        assert_eq!(values("one of <codes>", TABLE), ["Leak", "Break"]);
    }

    #[test]
    fn lists_may_be_json() {
        let objects = r#"<c>[{"term": "Leak", "code": "A01"}, {"code": 7}, {"code": "A02"}]</c>"#;
        assert_eq!(values("a code of <c>", objects), ["A01", "A02"]);
        assert_eq!(values("a code of <c>", r#"<c>["x", "y"]</c>"#), ["x", "y"]);
    }

    #[test]
    fn other_parts_name_no_list() {
        for shown in ["a code", "a code from <other>", "<", "<>", "a > b < c", "<codes", "…<é>…"] {
            assert_eq!(values(shown, TABLE), Vec::<String>::new(), "{shown}");
        }
        assert_eq!(values("a code from <codes>", "</codes><codes>"), Vec::<String>::new());
    }
}
