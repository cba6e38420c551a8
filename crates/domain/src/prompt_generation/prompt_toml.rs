//! A prompt as the TOML of a template file.
//!
//! Written here and not by the `toml` crate, for the sake of the reader of the file: texts of several lines stay such, and
//! fields are a table, not a list of pairs.

use crate::prompt::{Prompt, SchemaType};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Length from which a list is written one element per line.
const MAX_LIST_CHARS: usize = 100;

/// Returns the content of the template file of `prompt`.
pub fn prompt_toml(prompt: &Prompt) -> String {
    let mut toml = String::new();
    let mut line = |key: &str, text: &str| {
        let _ = writeln!(toml, "{key} = {}", string(text));
    };
    line("description", &prompt.description);
    if let Some(system) = &prompt.system {
        line("system", system);
    }
    if let Some(prefill) = &prompt.prefill {
        line("prefill", prefill);
    }
    line("template", &prompt.template);
    if let Some(schema) = &prompt.output_schema {
        let name = match schema.schema_type {
            SchemaType::Json => "json",
            SchemaType::Regex => "regex",
        };
        let _ = write!(toml, "\n[output_schema]\ntype = \"{name}\"\n\n[output_schema.fields]\n");
        for (field, path) in &schema.fields {
            let _ = writeln!(toml, "{} = {}", key(field), string(path));
        }
    }
    if let Some(Value::Object(schema)) = &prompt.response_schema {
        table(&mut toml, "response_schema", schema);
    }
    if !prompt.allowed_values.is_empty() {
        toml.push_str("\n[allowed_values]\n");
        for (field, source) in &prompt.allowed_values {
            let _ = writeln!(toml, "{} = {}", key(field), string(source));
        }
    }
    toml
}

/// Writes a table: its values first, as those after an inner table would belong to that one.
fn table(toml: &mut String, path: &str, object: &Map<String, Value>) {
    // The header of a table that has only inner ones says nothing.
    if object.is_empty() || object.values().any(|value| !value.is_object()) {
        let _ = write!(toml, "\n[{path}]\n");
    }
    for (name, value) in object.iter().filter(|(_, value)| !value.is_object()) {
        if let Some(text) = inline(value) {
            let _ = writeln!(toml, "{} = {text}", key(name));
        }
    }
    for (name, value) in object {
        if let Value::Object(inner) = value {
            table(toml, &format!("{path}.{}", key(name)), inner);
        }
    }
}

/// Returns a value as it stands in a line. TOML has no `null`: a member or an element that is `null` is left out.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => one_line(text),
        Value::Array(list) => {
            let elements: Vec<String> = list.iter().filter_map(inline).collect();
            let short = format!("[{}]", elements.join(", "));
            if short.chars().count() <= MAX_LIST_CHARS {
                short
            } else {
                format!("[\n    {},\n]", elements.join(",\n    "))
            }
        }
        Value::Object(object) => {
            let members = object.iter().filter_map(|(name, value)| Some(format!("{} = {}", key(name), inline(value)?)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    })
}

fn key(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { basic(name) }
}

/// Returns a text as a TOML string, over several lines if it has several.
fn string(text: &str) -> String {
    if !text.contains('\n') {
        return one_line(text);
    }
    // The line break after the opening quotes is not part of the text.
    let is_literal = !text.contains("'''") && !text.ends_with('\'') && !text.chars().any(must_be_escaped);
    if is_literal {
        return format!("'''\n{text}'''");
    }
    let escaped: String =
        text.chars().map(|letter| if letter == '\n' { "\n".to_owned() } else { escape(letter) }).collect();
    format!("\"\"\"\n{escaped}\"\"\"")
}

fn one_line(text: &str) -> String {
    let has_marks = text.contains(['"', '\\']);
    let is_literal = has_marks && !text.contains(['\'', '\n']) && !text.chars().any(must_be_escaped);
    if is_literal { format!("'{text}'") } else { basic(text) }
}

fn basic(text: &str) -> String {
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// Returns true for characters that no literal string may contain. Those of several lines may contain line breaks.
fn must_be_escaped(letter: char) -> bool {
    letter.is_ascii_control() && !matches!(letter, '\n' | '\t')
}

fn escape(letter: char) -> String {
    match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        control if control.is_ascii_control() => format!("\\u{:04X}", u32::from(control)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::braces::escaped;
    use super::*;
    use crate::prompt::OutputSchema;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn prompt(text: &str, names: &[String]) -> Prompt {
        let fields = vec![("z".to_owned(), "$.z".to_owned()), ("a b".to_owned(), "$['a b']".to_owned())];
        let schema = json!({"type": "object", "required": ["z"], "additionalProperties": false, "properties": {
            "z": {"type": "string", "enum": names}, "a b": {"type": "number", "minimum": 0.0, "maximum": 1.0}}});
        Prompt {
            description: text.to_owned(),
            template: format!("x{}{{column}}", escaped(text)),
            system: Some(text.to_owned()),
            prefill: None,
            output_schema: Some(OutputSchema { schema_type: SchemaType::Json, fields }),
            response_schema: Some(schema),
            allowed_values: BTreeMap::new(),
            rows: None,
        }
    }

    #[test]
    fn a_prompt_is_written_for_its_reader() {
        let written = prompt_toml(&prompt("It's \"{a}\"\n\\ two", &["A".to_owned(), "B's".to_owned()]));
        let expected = r#"description = '''
It's "{a}"
\ two'''
system = '''
It's "{a}"
\ two'''
template = '''
xIt's "{{a}}"
\ two{column}'''

[output_schema]
type = "json"

[output_schema.fields]
z = "$.z"
"a b" = "$['a b']"

[response_schema]
additionalProperties = false
required = ["z"]
type = "object"

[response_schema.properties."a b"]
maximum = 1.0
minimum = 0.0
type = "number"

[response_schema.properties.z]
enum = ["A", "B's"]
type = "string"
"#;
        assert_eq!(written, expected);
    }

    #[rstest]
    #[case("")]
    #[case("\n")]
    #[case("'''\n'")]
    #[case("a\"\"\"\"b\n\"")]
    #[case("a\r\nb\\\n  c\\")]
    #[case("\u{0}\u{1b}\u{7f}\u{85}\u{feff}\n\u{0}")]
    #[case("'\\\"")]
    fn awkward_texts_are_read_as_they_were(#[case] text: &str) {
        let prompt = prompt(text, &[text.to_owned()]);
        assert_eq!(Prompt::parse(&prompt_toml(&prompt)), Ok(prompt));
    }

    proptest! {
        #[test]
        fn every_prompt_is_read_as_it_was(text in any::<String>(), marks in "['\"\\\\\n\r\t{}a]{0,20}", name in any::<String>()) {
            for text in [text, marks] {
                let prompt = prompt(&text, &[name.clone(), text.clone()]);
                prop_assert_eq!(Prompt::parse(&prompt_toml(&prompt)), Ok(prompt));
            }
        }
    }
}
