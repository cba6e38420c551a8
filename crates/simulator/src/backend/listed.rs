//! Values of a list that a prompt holds, for the parts of a form that name it: `a code from <codes>`, `<one of the names>`.
//!
//! A list between tags is CSV with a header, a JSON list of objects, or a JSON list of texts. The column or member is the one
//! whose name is a word of the part; of CSV, else the first one. Any other list has lines that begin with `-`, after a line that
//! has the words of the part and ends with a colon.

use serde_json::Value;

/// Returns the values of the list that `shown` names; none if it names no list of `prompt`.
pub(super) fn values(shown: &str, prompt: &str) -> Vec<String> {
    let Some(list) = tagged(shown, prompt) else { return dashed(shown, prompt) };
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

/// Returns the lines of the list of `one of the names`, which follows a line such as `Names, with their case:`.
fn dashed(shown: &str, prompt: &str) -> Vec<String> {
    let lower = shown.to_lowercase();
    let Some((_, name)) = lower.split_once("one of the ") else { return Vec::new() };
    let name = name.trim_end_matches('>').trim();
    let is_head = |line: &str| line.trim_end().ends_with(':') && line.to_lowercase().contains(name);
    let after_head = prompt.lines().skip_while(|line| name.is_empty() || !is_head(line)).skip(1);
    let items = after_head.map_while(|line| line.trim().strip_prefix("- "));
    items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
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
    fn lists_may_be_lines() {
        let prompt = "category (text, one of the kind names): its name\nKind names, with their case:\n- Leak\n- Won't start\n\n- x";
        assert_eq!(values("<one of the kind names>", prompt), ["Leak", "Won't start"]);
        assert_eq!(values("one of the Kind Names", prompt), ["Leak", "Won't start"]);
        for shown in ["<one of the colors>", "one of the ", "<one of the >", "kind names"] {
            assert_eq!(values(shown, prompt), Vec::<String>::new(), "{shown}");
        }
    }

    #[test]
    fn other_parts_name_no_list() {
        for shown in ["a code", "a code from <other>", "<", "<>", "a > b < c", "<codes", "…<é>…"] {
            assert_eq!(values(shown, TABLE), Vec::<String>::new(), "{shown}");
        }
        assert_eq!(values("a code from <codes>", "</codes><codes>"), Vec::<String>::new());
    }
}
