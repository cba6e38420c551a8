//! Made-up answers to prompts that show several rows and want a list with an element for each of them.
//!
//! Such a prompt shows rows like `<ticket id="3">…</ticket>`, and the form of an element, which has an `id`. A row gets the
//! same element whatever the other rows are. The list is in another order than the rows, so that nothing can rely on it.

use serde_json::{Map, Value, json};

use crate::backend::filling::Filler;
use crate::backend::skeleton::{self, Form, Skeleton};
use crate::chance::{self, Numbers};
use crate::families::prompt::TextPrompt;

/// Faults of lists: elements that are left out, doubled, or have an id that no row has. A list of one element has none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ListFaults {
    pub(crate) seed: u64,
    /// Share of the rows that get none of their own, two, or a strange id.
    pub(crate) rate: f64,
}

/// Maximum number of rows that are searched for.
const MAX_ROWS: usize = 1_000;

/// Row of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row<'t> {
    id: &'t str,
    text: &'t str,
}

/// Returns the whole answer, before it is cut, or `None` if the prompt has no rows or no such form.
pub(super) fn text(base: &str, prompt: &TextPrompt, faults: ListFaults) -> Option<String> {
    let (rows, instructions) = rows_of(&prompt.user);
    if rows.is_empty() {
        return None;
    }
    let form = skeleton::find(&instructions).or_else(|| skeleton::find(&prompt.system))?;
    let Skeleton::Object(mut fields) = form.skeleton else { return None };
    let id = fields.iter().position(|(name, _)| name == "id")?;
    fields.remove(id);
    // The line feeds between the rows are not part of the instructions.
    let instructions = form.rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let elements = rows.iter().rev().flat_map(|row| {
        let number = chance::number(0, &[base, &prompt.system, &instructions, row.text]);
        let form = Form { skeleton: Skeleton::Object(fields.clone()), rest: format!("{instructions}\n{}", row.text) };
        let filled = Filler::new(&form, row.text, Numbers::from(number)).with_lists(prompt).fill();
        let answer = match filled {
            Value::Object(answer) => answer,
            _ => Map::new(),
        };
        listed(row, &answer, rows.len(), faults)
    });
    Some(Value::Array(elements.collect()).to_string())
}

/// Returns the elements of a row: one, or as many as its fault wants.
fn listed(row: &Row<'_>, answer: &Map<String, Value>, rows: usize, faults: ListFaults) -> Vec<Value> {
    let element = |id: &str| {
        let mut element = answer.clone();
        element.insert("id".to_owned(), json!(id));
        Value::Object(element)
    };
    let names = ["list fault", row.text, &rows.to_string()];
    if rows == 1 || !chance::happens(faults.rate, faults.seed, &names) {
        return vec![element(row.id)];
    }
    match chance::number(faults.seed, &["kind", row.text, &rows.to_string()]) % 3 {
        0 => vec![],
        1 => vec![element(row.id), element(row.id)],
        _ => vec![element(&format!("{}-{}", row.id, rows))],
    }
}

/// Returns the rows of a prompt, and the text without them. Rows have one tag with an id: `<row id="1">…</row>`.
fn rows_of(text: &str) -> (Vec<Row<'_>>, String) {
    let (mut rows, mut instructions) = (Vec::new(), String::new());
    let mut rest = text;
    while rows.len() < MAX_ROWS
        && let Some((before, row, after)) = next_row(rest)
    {
        instructions.push_str(before);
        rows.push(row);
        rest = after;
    }
    instructions.push_str(rest);
    (rows, instructions)
}

/// Returns the text before the first row, the row, and the text after it.
fn next_row(text: &str) -> Option<(&str, Row<'_>, &str)> {
    const MARK: &str = " id=\"";
    for (mark, _) in text.match_indices(MARK) {
        let (before, from) = text.split_at(mark);
        let Some((start, name)) = before.rfind('<').map(|at| (at, before.get(at + 1..).unwrap_or_default())) else {
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let Some((id, content)) = from.get(MARK.len()..).and_then(|from| from.split_once("\">")) else { continue };
        if !is_name || id.contains(['"', '<']) {
            continue;
        }
        let Some((content, after)) = content.split_once(&format!("</{name}>")) else { continue };
        return Some((before.get(..start)?, Row { id, text: content.trim() }, after));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(rows: &[&str]) -> TextPrompt {
        let rows: Vec<String> =
            rows.iter().zip(1..).map(|(text, id)| format!("<ticket id=\"{id}\">{text}</ticket>")).collect();
        let user = format!(
            "The tickets:\n{}\nAnswer with a JSON list, one object per ticket: [{{\"id\": \"its id\", \"mood\": \"good|bad\"}}]",
            rows.join("\n")
        );
        TextPrompt { user, ..TextPrompt::default() }
    }

    fn answer(rows: &[&str], faults: ListFaults) -> Vec<Value> {
        serde_json::from_str(&text("a.b", &prompt(rows), faults).unwrap()).unwrap()
    }

    #[test]
    fn each_row_gets_an_element_by_its_id() {
        let list = answer(&["It is bad.", "All good here"], ListFaults::default());
        assert_eq!(list, [json!({"id": "2", "mood": "good"}), json!({"id": "1", "mood": "bad"})]);
    }

    #[test]
    fn an_element_has_values_of_the_lists_that_the_form_names() {
        let system = "<codes>\ncode\nA01\nA02\n</codes>".to_owned();
        let user =
            "<t id=\"1\">x</t>\n<t id=\"2\">y</t>\nJSON: [{\"id\": \"its id\", \"code\": \"a code from <codes>\"}]"
                .to_owned();
        let prompt = TextPrompt { system, user, ..TextPrompt::default() };
        let list: Vec<Value> = serde_json::from_str(&text("a.b", &prompt, ListFaults::default()).unwrap()).unwrap();
        assert_eq!(list.len(), 2);
        assert!(list.iter().all(|element| element["code"] == "A01" || element["code"] == "A02"), "{list:?}");
    }

    #[test]
    fn a_row_gets_the_same_element_with_and_without_others() {
        let [together, alone] =
            [&["one", "two", "three"][..], &["three"]].map(|rows| answer(rows, ListFaults::default()));
        assert_eq!((together.len(), together[0]["mood"].clone()), (3, alone[0]["mood"].clone()));
    }

    #[test]
    fn faults_leave_rows_out_double_them_and_invent_ids() {
        let rows: Vec<String> = (0..90).map(|row| format!("ticket {row}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let faults = ListFaults { seed: 1, rate: 0.5 };
        let list = answer(&rows, faults);
        assert_eq!(list, answer(&rows, faults));
        let count = |id: &str| list.iter().filter(|element| element["id"] == id).count();
        let counts: Vec<usize> = (1..=90).map(|id| count(&id.to_string())).collect();
        for times in 0..3 {
            assert!(counts.iter().filter(|count| **count == times).count() > 5, "{counts:?}");
        }
        assert!(list.iter().any(|element| element["id"].as_str().unwrap().contains('-')));
        assert_eq!(answer(&["ticket 1"], ListFaults { seed: 1, rate: 1.0 }).len(), 1);
    }

    #[test]
    fn other_prompts_have_no_list() {
        for user in ["", "<a>b</a> JSON {\"id\": \"x\"}", "<a id=\"1\">b", "<a id=\"1\">b</a> {\"mood\": \"x\"}"] {
            let prompt = TextPrompt { user: user.to_owned(), ..TextPrompt::default() };
            assert_eq!(text("a.b", &prompt, ListFaults::default()), None, "{user}");
        }
    }
}
