//! Third component: the columns of a row.

use super::wording::wording;
use crate::prompt_generation::braces::escaped;
use crate::prompt_generation::settings::Settings;
use std::collections::BTreeSet;

/// Returns the section that shows the columns, as a template.
pub(in crate::prompt_generation) fn input(settings: &Settings) -> String {
    let words = wording(settings.style);
    let mut lines = vec![escaped(words.input), String::new()];
    let mut tags = BTreeSet::new();
    for column in &settings.input_placeholders {
        let tag = tag_of(column, &mut tags);
        // Tags delimit a cell, so that the model can tell it from the instructions around it.
        lines.extend([format!("<{tag}>"), format!("{{{column}}}"), format!("</{tag}>"), String::new()]);
    }
    lines.push(escaped(words.untrusted));
    lines.join("\n")
}

/// Returns a name for a tag that no other column has.
fn tag_of(column: &str, taken: &mut BTreeSet<String>) -> String {
    let letters =
        column.trim().chars().map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' });
    let mut tag: String = letters.collect();
    if !tag.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        tag.insert(0, '_');
    }
    while !taken.insert(tag.clone()) {
        tag.push('_');
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_a_tag_of_its_own() {
        let mut taken = BTreeSet::new();
        let tags = ["Size in cm", "Size_in_cm", "2nd", "", "größe", "<b>"].map(|column| tag_of(column, &mut taken));
        assert_eq!(tags, ["Size_in_cm", "Size_in_cm_", "_2nd", "_", "größe", "_b_"]);
    }
}
