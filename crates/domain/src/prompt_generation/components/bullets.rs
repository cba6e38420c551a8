//! Lists in the text of a prompt.

/// Returns `text` with its further lines indented by as many spaces as `marker` has characters.
pub(super) fn item(marker: &str, text: &str) -> String {
    let mut lines = text.lines();
    let mut item = format!("{marker}{}", lines.next().unwrap_or_default());
    for line in lines {
        item.push('\n');
        if !line.trim().is_empty() {
            item.push_str(&" ".repeat(marker.chars().count()));
            item.push_str(line.trim_end());
        }
    }
    item
}

/// Adds a heading with an item per text, unless there are no texts.
pub(super) fn section(lines: &mut Vec<String>, heading: &str, marker: &str, texts: &[String]) {
    if !texts.is_empty() {
        lines.push(heading.to_owned());
        lines.extend(texts.iter().map(|text| item(marker, text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_lines_are_indented_and_no_list_is_empty() {
        assert_eq!(item("  * ", "a\n b \n\nc"), "  * a\n     b\n\n    c");
        let mut lines = Vec::new();
        section(&mut lines, "h", "- ", &[]);
        section(&mut lines, "i", "- ", &["a".to_owned()]);
        assert_eq!(lines, ["i", "- a"]);
    }
}
