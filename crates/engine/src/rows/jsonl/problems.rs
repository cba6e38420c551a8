//! Lines that cannot be read, in words that say what to do.

use bedrock_batch_domain::problem::{Problem, shortened};

/// Remedy for most lines: these programs write them as they are read here.
const REWRITE: &str =
    "write each row as one JSON object on a line of its own, as `jq -c .` or Python's json.dumps does";

pub(super) fn too_long(place: &str, max_bytes: usize) -> Problem {
    Problem::without_value(place, format!("has more than {} MiB", max_bytes >> 20)).remedy(REWRITE)
}

pub(super) fn not_utf_8(place: &str, encoding: &str) -> Problem {
    let remedy = "save the file as UTF-8, e.g. `iconv -f windows-1252 -t utf-8`";
    Problem::without_value(place, format!("is not valid {encoding}")).remedy(remedy)
}

/// Returns the problem of a line that is not one object.
pub(super) fn not_an_object(place: &str, line: &str, error: &serde_json::Error) -> Problem {
    if !line.starts_with('{') {
        let found = match line.as_bytes().first() {
            Some(b'[') => "a list",
            _ => "other text",
        };
        return Problem::without_value(place, format!("is not a JSON object, but {found}")).remedy(REWRITE);
    }
    if error.is_eof() {
        let rule = "the object does not end on its line";
        let remedy =
            "if it goes on in the next lines, write each object on one line (`jq -c .` does); else the file is cut off";
        return Problem::without_value(place, rule).remedy(remedy);
    }
    let message = error.to_string().replace(" at line 1 column ", " at byte ");
    if message.contains("hex escape") {
        return lone_surrogate(place, "a name");
    }
    let after = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
    let remedy = if message.starts_with("trailing characters") {
        "write each object on a line of its own, as `jq -c .` does"
    } else if ["NaN", "Infinity", "-Infinity", "nan", "inf"].iter().any(|word| after.starts_with(word)) {
        "JSON has no such number: write null in its place"
    } else {
        REWRITE
    };
    Problem::without_value(place, format!("is not valid JSON: {message}")).remedy(remedy)
}

/// Returns the problem of half of a pair of surrogates, in `what`.
pub(super) fn lone_surrogate(place: &str, what: &str) -> Problem {
    let rule = format!("{what} has half of a character (a lone surrogate, as of an emoji that was cut off)");
    Problem::without_value(place, rule).remedy("`jq -c .` writes U+FFFD in its place")
}

/// Returns the problem of a member whose column the object has already.
pub(super) fn named_twice(place: &str, name: &str) -> Problem {
    Problem::new(place, name, "the object has this name twice").remedy("rename one, or leave it out")
}

/// Returns the problem of a list that takes too much memory.
pub(super) fn too_many_elements(place: &str, column: &str, max: usize) -> Problem {
    let rule = format!("the list has more than {max} elements");
    Problem::without_value(format!("{place} column `{}`", shortened(column)), rule)
        .remedy("shorten it, or leave the column out")
}

/// Returns the problem of a name that no column can have.
pub(super) fn name_too_long(place: &str, bytes: usize, max_bytes: usize) -> Problem {
    let rule = format!("the name of a member has {bytes} bytes; at most {max_bytes} are read");
    Problem::without_value(place, rule).remedy("names of members are columns: write data as values")
}

/// Returns the problem of too many columns.
pub(super) fn too_many_names(place: &str, max: usize) -> Problem {
    let rule = format!("has the first name after {max} others; at most {max} columns are read");
    let remedy =
        "names of members are columns: if names are data, write them as values; else keep the members that you need";
    Problem::without_value(place, rule).remedy(remedy)
}

/// Returns the problem of a file that is not the one that was inspected.
pub(super) fn has_changed(place: &str) -> Problem {
    let rule = "was changed since it was inspected: it has a column or a value that it did not have";
    Problem::without_value(place, rule).remedy("start again once nothing writes to it")
}
