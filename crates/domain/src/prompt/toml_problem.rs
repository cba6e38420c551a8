//! Mistakes in TOML, with remedies for those that prompts invite.

/// Returns a mistake of the parser in words, with its place, and the remedy in a line of its own if there is one.
pub(super) fn toml_problem(error: &toml::de::Error, text: &str) -> String {
    let problem = error.to_string().trim_end().to_owned();
    let from = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().get(..from).unwrap_or_default();
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let is_curly = line.contains(['“', '”', '„', '‘', '’']);
    let remedy = if error.message().contains("escape") {
        "write patterns and paths between single quotes, where a backslash is a backslash: '\\d+'"
    } else if is_curly {
        "begin and end texts with straight quotes"
    } else {
        return problem;
    };
    format!("{problem}\n{remedy}")
}

#[cfg(test)]
mod tests {
    use crate::prompt::{Prompt, PromptLibrary};
    use rstest::rstest;

    #[rstest]
    #[case("template = \"{a}\"\n[output_schema]\ntype = \"regex\"\nfields = { n = \"N: (\\d+)\" }", "'\\d+'")]
    #[case("template = “{a}”", "begin and end texts with straight quotes")]
    #[case("template = \"{a}", "")]
    fn mistakes_have_their_line_and_remedy(#[case] toml: &str, #[case] remedy: &str) {
        let toml = format!("description = \"d\"\n{toml}");
        let of_prompt = Prompt::parse(&toml).unwrap_err();
        let of_file = PromptLibrary::default().add("x", &toml).unwrap_err();
        assert_eq!(of_prompt, of_file);
        assert!(of_file.contains("line ") && of_file.ends_with(remedy), "{of_file}");
    }

    #[test]
    fn a_mark_and_crlf_are_no_mistakes() {
        let toml = "\u{feff}description = \"d\"\r\ntemplate = \"\"\"\r\nReview:\r\n{text}\r\n\"\"\"\r\n";
        assert_eq!(Prompt::parse(toml).unwrap().columns(), ["text".to_owned()].into());
    }
}
