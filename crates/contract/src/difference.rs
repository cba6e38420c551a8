//! The difference between two versions of a file, for people.

use std::fmt::Write;

/// Returns the lines that change from `old` to `new`, without the lines that both begin or end with; `None` if the two
/// are equal.
pub(crate) fn between(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let mut text = format!("@@ line {} @@\n", start + 1);
    for (mark, lines) in [('-', &old[..old.len() - end]), ('+', &new[..new.len() - end])] {
        for line in lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{mark}{line}");
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::equal("a\nb\n", "a\nb\n", None)]
    #[case::changed("a\nb\nc\n", "a\nx\ny\nc\n", Some("@@ line 2 @@\n-b\n+x\n+y\n"))]
    #[case::added("a\n", "a\nb\n", Some("@@ line 2 @@\n+b\n"))]
    #[case::missing("", "a\n", Some("@@ line 1 @@\n+a\n"))]
    #[case::repeated("a\na\n", "a\n", Some("@@ line 2 @@\n-a\n"))]
    #[case::end_of_line("a", "a\n", Some("@@ line 2 @@\n"))]
    fn only_changed_lines_are_shown(#[case] old: &str, #[case] new: &str, #[case] expected: Option<&str>) {
        assert_eq!(between(old, new).as_deref(), expected);
    }
}
