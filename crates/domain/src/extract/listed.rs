//! The answer to a request of several rows: a list with an element for each row, which is identified by its `id`, never by
//! its position.
//!
//! An element without its `id` is the answer to its row, as the model wrote it. An id that is missing or occurs twice
//! concerns that row alone; an element with any other id belongs to no row.

use super::Unparsed;
use super::find::{NoValue, Values};
use super::reasoning::after_reasoning;
use crate::json_fields::fields;
use crate::row_error::{RowError, RowErrorCode};
use crate::stop_reason::{is_refusal, is_token_limit};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Member of an element that identifies its row.
pub(super) const ID: &[u8] = b"id";

/// Answers to the rows of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAnswers {
    /// For each row, its answer or the reason why it has none.
    pub rows: Vec<Result<String, NotListed>>,
    /// Number of elements that belong to no row of the request.
    pub strange: usize,
    /// If true, the list was nearly JSON, and was repaired.
    pub repaired: bool,
}

/// Reason why a row has no answer in the list of its request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    /// There is no element for it.
    #[error("the answer has no element for this row: its request has {0} rows")]
    Missing(usize),
    /// There are several elements for it.
    #[error("the answer has {0} elements for this row")]
    Doubled(usize),
    /// The model returned no text.
    #[error("the model returned no answer (stop_reason {0})")]
    Empty(String),
    /// The answer was cut off, so that its list does not end.
    #[error("the answer was cut off at the token limit; raise `max_tokens`, or lower `rows_per_request`")]
    CutOff,
    /// The answer contains no list that can be read.
    #[error("{0}")]
    NoJson(Unparsed),
    /// The answer contains JSON, but not such a list.
    #[error("the JSON in the answer is not a list of objects with `id`")]
    NoList,
}

impl From<&NotListed> for RowError {
    fn from(reason: &NotListed) -> Self {
        let code = match reason {
            NotListed::Missing(_) => RowErrorCode::RowNotListed,
            NotListed::Doubled(_) => RowErrorCode::RowListedTwice,
            NotListed::Empty(stop_reason) if is_refusal(stop_reason) => RowErrorCode::AnswerRefused,
            NotListed::Empty(_) => RowErrorCode::EmptyAnswer,
            NotListed::CutOff => RowErrorCode::AnswerCutOff,
            NotListed::NoJson(_) | NotListed::NoList => RowErrorCode::ListUnreadable,
        };
        let detail = match reason {
            // The words for this code contain the text.
            NotListed::Empty(stop_reason) => stop_reason.clone(),
            _ => reason.to_string(),
        };
        Self::new(code, detail)
    }
}

/// Returns the answers to the rows of a request with `rows` rows. `text` is the complete answer, including its prefill.
pub fn read_list(text: &str, rows: usize, stop_reason: Option<&str>) -> ListedAnswers {
    let cut_off = stop_reason.is_some_and(is_token_limit);
    let is_ended = stop_reason.is_some() && !cut_off;
    let answer = match after_reasoning(text) {
        Some(answer) => answer,
        // The answer is only reasoning that never ends, unless the model merely forgot the closing tag.
        None if cut_off => return ListedAnswers::without(rows, &NotListed::CutOff),
        None => text,
    };
    if let Some(elements) = elements_of(answer) {
        return ListedAnswers::of(&elements, rows);
    }
    // The elements are read one by one, so that what is wrong in one concerns its row alone.
    let mut values = Values::<IgnoredAny>::new(answer, is_ended);
    let (mut any, mut is_empty) = (false, false);
    let mut found: Option<(usize, bool, ListedAnswers)> = None;
    // Values within a broken one are not its elements: an `id` in them may be anything.
    while values.next_after(found.as_ref().is_some_and(|(_, is_hinted, _)| *is_hinted)).is_some()
        && values.failure().0 == NoValue::Nothing
    {
        any = true;
        let is_hinted = values.is_hinted();
        // A value without any `id` is often not the answer: for example the `[1]` of a footnote.
        match elements_of(values.latest_text()) {
            Some(elements) if elements.is_empty() => is_empty = true,
            // The last list counts if it is not only a part: models correct themselves.
            Some(elements) if found.as_ref().is_none_or(|(most, ..)| elements.len() >= *most) => {
                let listed = ListedAnswers { repaired: values.is_repaired(), ..ListedAnswers::of(&elements, rows) };
                found = Some((elements.len(), is_hinted, listed));
            }
            _ => {}
        }
    }
    if let Some((_, _, listed)) = found {
        return listed;
    }
    let reason = match values.failure().0 {
        _ if cut_off => NotListed::CutOff,
        NoValue::Unended => NotListed::NoJson(Unparsed::Unended),
        NoValue::Broken(at) => NotListed::NoJson(Unparsed::broken_at(answer, at).further_down(text, answer)),
        NoValue::Nothing if is_empty => return ListedAnswers::of(&[], rows),
        NoValue::Nothing if any => NotListed::NoList,
        NoValue::Nothing => NotListed::NoJson(Unparsed::NoJson),
    };
    ListedAnswers::without(rows, &reason)
}

impl ListedAnswers {
    fn without(rows: usize, reason: &NotListed) -> Self {
        Self { rows: vec![Err(reason.clone()); rows], strange: 0, repaired: false }
    }

    fn of(elements: &[&str], rows: usize) -> Self {
        let mut answers: Vec<Result<String, NotListed>> = vec![Err(NotListed::Missing(rows)); rows];
        let mut strange = 0;
        for element in elements {
            let found = parts_of(element).and_then(|(id, answer)| Some((answers.get_mut(id.checked_sub(1)?)?, answer)));
            let Some((row, answer)) = found else {
                strange += 1;
                continue;
            };
            *row = match row {
                Err(NotListed::Doubled(times)) => Err(NotListed::Doubled(*times + 1)),
                Ok(_) => Err(NotListed::Doubled(2)),
                Err(_) => Ok(answer),
            };
        }
        Self { rows: answers, strange, repaired: false }
    }
}

/// Returns the elements of the list that a JSON value is: the list itself, or the only list in an object (models that must
/// answer with an object wrap the list in one), or a single element. Returns `None` for text that is not one JSON value, and
/// for a value without any `id`.
fn elements_of(json: &str) -> Option<Vec<&str>> {
    let json = json.trim();
    match json.as_bytes().first()? {
        b'[' => list_of(json),
        b'{' => {
            // Delimiting the members does not validate them.
            serde_json::from_str::<&RawValue>(json).ok()?;
            if id_of(json).is_some() {
                return Some(vec![json]);
            }
            let lists = fields(json.as_bytes())?.into_iter().filter(|(_, value)| value.starts_with(b"["));
            let lists = lists.filter_map(|(_, value)| list_of(std::str::from_utf8(value).ok()?));
            // An empty list beside that of the rows says nothing: for example `"errors": []`.
            let (empty, mut with_ids): (Vec<_>, Vec<_>) = lists.partition(|elements| elements.is_empty());
            match (with_ids.pop(), with_ids.len(), empty.len()) {
                (Some(only), 0, _) => Some(only),
                (None, _, 1) => Some(Vec::new()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns the elements of a list that is empty, or of which at least one has an `id`.
fn list_of(json: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let elements: Vec<&str> = elements.into_iter().map(RawValue::get).collect();
    (elements.is_empty() || elements.iter().any(|element| id_of(element).is_some())).then_some(elements)
}

/// Returns the `id` of an element as it is written, if it has one.
fn id_of(element: &str) -> Option<&[u8]> {
    fields(element.as_bytes())?.into_iter().find(|(name, _)| *name == ID).map(|(_, value)| value)
}

/// Returns the number of the row that an element answers, and the element without its `id`. Returns `None` if it has no such
/// id, or several.
fn parts_of(element: &str) -> Option<(usize, String)> {
    let members = fields(element.as_bytes())?;
    let mut ids = members.iter().filter(|(name, _)| *name == ID);
    let (_, id) = ids.next().filter(|_| ids.next().is_none())?;
    let mut answer = String::with_capacity(element.len());
    answer.push('{');
    for (name, value) in members.iter().filter(|(name, _)| *name != ID) {
        if answer.len() > 1 {
            answer.push(',');
        }
        answer.push('"');
        answer.push_str(std::str::from_utf8(name).ok()?);
        answer.push_str("\":");
        answer.push_str(std::str::from_utf8(value).ok()?);
    }
    answer.push('}');
    Some((row_number(id)?, answer))
}

/// Reads the number of a row, which models write as a text or as a number.
pub(super) fn row_number(id: &[u8]) -> Option<usize> {
    let id = std::str::from_utf8(id).ok()?;
    let digits = match id.strip_prefix('"') {
        Some(text) => text.strip_suffix('"')?.trim(),
        None => id,
    };
    let canonical = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    canonical.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn texts(answers: &ListedAnswers) -> Vec<&str> {
        let text = |row: &'_ Result<String, NotListed>| match row {
            Ok(_) => "ok",
            Err(NotListed::Missing(_)) => "missing",
            Err(NotListed::Doubled(2)) => "twice",
            Err(NotListed::Doubled(_)) => "often",
            Err(NotListed::Empty(_)) => "empty",
            Err(NotListed::CutOff) => "cut off",
            Err(NotListed::NoJson(Unparsed::NoJson)) => "no JSON",
            Err(NotListed::NoJson(_)) => "bad JSON",
            Err(NotListed::NoList) => "no list",
        };
        answers.rows.iter().map(text).collect()
    }

    #[rstest]
    #[case::in_order(r#"[{"id": "1", "a": 1}, {"id": "2", "a": 2}]"#, &["ok", "ok"], 0)]
    #[case::numbers(r#"[{"a": 2, "id": 2}, {"id": 1}]"#, &["ok", "ok"], 0)]
    #[case::missing(r#"[{"id": "2", "a": 2}]"#, &["missing", "ok"], 0)]
    #[case::doubled(r#"[{"id": "2"}, {"id": "1"}, {"id": 2}]"#, &["ok", "twice"], 0)]
    #[case::thrice(r#"[{"id": "2"}, {"id": "1"}, {"id": 2}, {"id": 2}]"#, &["ok", "often"], 0)]
    #[case::strange(r#"[{"id": "3"}, {"id": "1"}, {"id": 0}, {"id": "02"}, {"id": -1}, {"id": null}, {}, 7]"#, &["ok", "missing"], 7)]
    #[case::two_ids(r#"[{"id": "1", "id": "2"}, {"id": 2}]"#, &["missing", "ok"], 1)]
    #[case::empty("[]", &["missing", "missing"], 0)]
    #[case::wrapped(r#"{"results": [{"id": 1}, {"id": 2}], "notes": [1]}"#, &["ok", "ok"], 0)]
    #[case::beside_an_empty_list(r#"{"errors": [], "results": [{"id": 1}, {"id": 2}], "notes": []}"#, &["ok", "ok"], 0)]
    #[case::only_an_empty_list(r#"{"results": [], "notes": [1]}"#, &["missing", "missing"], 0)]
    #[case::two_empty_lists(r#"{"results": [], "notes": []}"#, &["no list", "no list"], 0)]
    #[case::nested_lists(r#"[[{"id": 1}, {"id": 2}]]"#, &["no list", "no list"], 0)]
    #[case::a_list_after_an_empty_one(r#"Doubtful: []. [{"id": 1}, {"id": 2}]"#, &["ok", "ok"], 0)]
    #[case::an_empty_list_in_prose("None: [].", &["missing", "missing"], 0)]
    #[case::decimals(r#"[{"id": 1.0}, {"id": " 2 "}]"#, &["missing", "ok"], 1)]
    #[case::single(r#"{"id": 2, "a": [{"id": 1}]}"#, &["missing", "ok"], 0)]
    #[case::fenced("Here [1]:\n```json\n[{\"id\": \"1\"},\n {\"id\": \"2\"}]\n```\nDone.", &["ok", "ok"], 0)]
    #[case::reasoning("<think>[{\"id\": 1}]</think>[{\"id\": 2}]", &["missing", "ok"], 0)]
    #[case::quotes("[{\"id\": “1”, \"a\": \"x\"}, {\"id\": 2}]", &["ok", "ok"], 0)]
    #[case::half_a_character("```json\n[{\"id\": 1, \"a\": \"\\ud800\"}, {\"id\": 2}]\n```", &["ok", "ok"], 0)]
    #[case::prose("I cannot do that.", &["no JSON", "no JSON"], 0)]
    #[case::without_ids(r#"[{"a": 1}, {"a": 2}]"#, &["no list", "no list"], 0)]
    #[case::two_lists(r#"{"a": [{"id": 1}], "b": [{"id": 2}]}"#, &["no list", "no list"], 0)]
    #[case::broken(r#"[{"id": 1}, {"id": 2,}}"#, &["bad JSON", "bad JSON"], 0)]
    #[case::within_broken(r#"[{"of": [{"id": 1}], "id": 2 3}]"#, &["bad JSON", "bad JSON"], 0)]
    #[case::trailing_comma(r#"[{"of": [{"id": 1}], "id": 2,}]"#, &["missing", "ok"], 0)]
    #[case::python("[{'id': 1, 'a': None}, {'id': '2'}]", &["ok", "ok"], 0)]
    #[case::last_bracket_missing(r#"[{"id": 1}, {"id": 2}"#, &["ok", "ok"], 0)]
    #[case::unended(r#"[{"id": 1}, {"id": 2"#, &["ok", "ok"], 0)]
    #[case::unended_string(r#"[{"id": 1}, {"id": "2"#, &["bad JSON", "bad JSON"], 0)]
    #[case::draft(r#"[{"id": 1}] No: [{"id": 1}, {"id": 2}]"#, &["ok", "ok"], 0)]
    #[case::corrected(r#"[{"id": 1}, {"id": 3}] No: [{"id": 1}, {"id": 2}]"#, &["ok", "ok"], 0)]
    #[case::remark(r#"[{"id": 1}, {"id": 2}] where {"id": 3} is missing"#, &["ok", "ok"], 0)]
    fn answers_are_found_by_their_ids(#[case] text: &str, #[case] expected: &[&str], #[case] strange: usize) {
        let found = read_list(text, 2, Some("end_turn"));
        assert_eq!((texts(&found).as_slice(), found.strange), (expected, strange));
    }

    #[test]
    fn an_answer_is_the_element_without_its_id_as_it_was_written() {
        let text =
            "[ {\"z\": 1.50, \"id\": \"2\" , \"a\": {\"id\": \"x\",\n \"b\":[]}, \"q\\\"\": \"\\u00fc\"}, {\"id\":1}]";
        let answers = read_list(text, 2, None).rows;
        assert_eq!(answers[0].as_deref(), Ok("{}"));
        assert_eq!(answers[1].as_deref(), Ok("{\"z\":1.50,\"a\":{\"id\": \"x\",\n \"b\":[]},\"q\\\"\":\"\\u00fc\"}"));
    }

    #[test]
    fn a_list_that_was_cut_off_names_the_remedy() {
        let answers = read_list(r#"[{"id": 1}, {"id"#, 2, Some("max_tokens"));
        assert_eq!(texts(&answers), ["cut off", "cut off"]);
        let error = RowError::from(answers.rows[0].as_ref().unwrap_err());
        assert_eq!(error.reason.code, RowErrorCode::AnswerCutOff);
        assert!(error.to_string().ends_with("raise `max_tokens`, or lower `rows_per_request`"), "{error}");
        assert_eq!(texts(&read_list("<think>[", 1, Some("max_tokens"))), ["cut off"]);
        assert_eq!(texts(&read_list("[{\"id\": 1}]", 1, Some("max_tokens"))), ["ok"], "the list was complete");
    }

    #[test]
    fn a_position_is_that_in_the_whole_answer() {
        let answers = read_list("<think>\n</think>\n[{\"id\": 1,:}]", 1, None);
        let error = answers.rows[0].as_ref().unwrap_err().to_string();
        assert_eq!(error, "the JSON in the answer is broken at line 3, column 11");
    }

    #[test]
    fn hostile_answers_cost_little() {
        for text in
            ["[".repeat(200_000), "{\"id\":".repeat(100_000), "[{\"id\":1},".repeat(50_000), "[".repeat(50_000) + "}"]
        {
            assert_eq!(read_list(&text, 100, None).rows.len(), 100);
        }
        let deep = format!("[{{\"id\": 1, \"a\": {}1{}}}]", "[".repeat(100_000), "]".repeat(100_000));
        let _ = read_list(&deep, 1, None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\[\\]{}\":, 12ida\\\\ü“”]{0,60}", rows in 0usize..4) {
            prop_assert_eq!(read_list(&text, rows, None).rows.len(), rows);
        }

        #[test]
        fn each_row_gets_its_own_element_or_its_reason(
            ids in prop::collection::vec(0usize..9, 0..14), rows in 1usize..7, pretty: bool, as_texts: bool, around in "[a-z .\n]{0,9}",
        ) {
            let element = |(at, id): (usize, &usize)| {
                let id = if as_texts { json!(id.to_string()) } else { json!(id) };
                json!({"id": id, "at": at, "text": "a \"b\" [{}] ü"})
            };
            let list: Value = ids.iter().enumerate().map(element).collect();
            let text = if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() };
            let found = read_list(&format!("{around}{text}{around}"), rows, None);
            let is_own = |id: &&usize| (1..=rows).contains(*id);
            prop_assert_eq!(found.strange, ids.iter().filter(|id| !is_own(id)).count());
            for (number, row) in (1..).zip(&found.rows) {
                let places: Vec<usize> = ids.iter().enumerate().filter(|(_, id)| **id == number).map(|(at, _)| at).collect();
                match places.as_slice() {
                    [at] => {
                        let answer: Value = serde_json::from_str(row.as_ref().unwrap()).unwrap();
                        prop_assert_eq!(answer, json!({"at": at, "text": "a \"b\" [{}] ü"}));
                    }
                    [] => prop_assert_eq!(row, &Err(NotListed::Missing(rows))),
                    _ => prop_assert_eq!(row, &Err(NotListed::Doubled(places.len()))),
                }
            }
        }
    }
}
