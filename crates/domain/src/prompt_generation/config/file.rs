//! Names and content of the files.

use crate::json_members::{Place, parse};
use crate::problem::Problem;
use serde_json::Value;

/// Maximum size of a file. Definitions of hundreds of categories have some 100 KB.
pub const MAX_CONFIG_FILE_BYTES: usize = 1 << 20;
/// Minimum similarity of a name that is taken for a misspelled one.
const MIN_SIMILARITY: f64 = 0.88;

/// File of a folder of prompt configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigFile {
    /// Categories: the only file that is required.
    CategoryDefinitions,
    /// Role of the model.
    SystemPrompt,
    /// Form of an answer.
    OutputFormat,
    /// Parts of the instructions.
    Instruction,
}

impl ConfigFile {
    /// All files, in the order in which their problems are reported.
    pub const ALL: [Self; 4] = [Self::CategoryDefinitions, Self::SystemPrompt, Self::OutputFormat, Self::Instruction];

    /// Returns the name without `.json`, with which the paths of its fields begin.
    pub fn stem(self) -> &'static str {
        match self {
            Self::CategoryDefinitions => "category_definitions",
            Self::SystemPrompt => "system_prompt",
            Self::OutputFormat => "output_format",
            Self::Instruction => "instruction",
        }
    }

    /// Returns the name of the file.
    pub fn file_name(self) -> String {
        format!("{}.json", self.stem())
    }

    /// Returns the file of this name, if there is one.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }

    /// Parses the content of the file.
    ///
    /// # Errors
    /// Returns the problem with its line and column.
    pub(super) fn parse(self, bytes: &[u8]) -> Result<Value, Problem> {
        let name = self.file_name();
        if bytes.len() > MAX_CONFIG_FILE_BYTES {
            let rule = format!("has more than {MAX_CONFIG_FILE_BYTES} bytes (1 MiB), the maximum of such a file");
            return Err(Problem::without_value(name, rule).remedy("shorten it: all of it would be sent with every row"));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let rule = format!("is not UTF-8 text: byte {} is invalid", error.valid_up_to() + 1);
            Problem::without_value(name.clone(), rule).remedy("save it as UTF-8")
        })?;
        parse(text.trim_start_matches('\u{feff}').as_bytes(), Place::Strict).map_err(|error| {
            let message = error.to_string();
            let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
            let place = format!("{name} line {}, column {}", error.line(), error.column());
            let rule = if error.is_data() { reason.to_owned() } else { format!("is not valid JSON: {reason}") };
            Problem::without_value(place, rule)
        })
    }
}

/// Returns the problem of a file whose name is nearly that of a file that is read, such as `instructions.json`: it would be
/// ignored silently.
pub fn misnamed(name: &str) -> Option<Problem> {
    let lower = name.to_lowercase();
    let stem = lower.strip_suffix(".json")?;
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension);
    if ConfigFile::of_name(name).is_some() || extension == "schema" {
        return None;
    }
    let near = ConfigFile::ALL.map(|file| (strsim::jaro_winkler(&lower, &file.file_name()), file));
    let (score, file) = near.into_iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
    (score >= MIN_SIMILARITY).then(|| {
        let rule = "is not a file that is read";
        Problem::without_value(name, rule).remedy(format!("rename it to `{}`, or move it away", file.file_name()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"[1,]", "category_definitions.json line 1, column 4: is not valid JSON: trailing comma")]
    #[case(b"[\n  {\"name\" 1}]", "category_definitions.json line 2, column 11: is not valid JSON: expected `:`")]
    #[case(b"", "category_definitions.json line 1, column 0: is not valid JSON: EOF while parsing a value")]
    #[case(b"[\"\xff\"]", "category_definitions.json: is not UTF-8 text: byte 3 is invalid; save it as UTF-8")]
    #[case(b"[\"\x1b\"]", "category_definitions.json line 1, column 3: is not valid JSON: control character")]
    #[case(
        b"[{\"name\": \"a\", \"name\": \"b\"}]",
        "category_definitions.json line 1, column 21: has two members `name` in one object"
    )]
    fn a_file_that_is_not_json_is_reported_with_its_place(#[case] bytes: &[u8], #[case] expected: &str) {
        let problem = ConfigFile::CategoryDefinitions.parse(bytes).unwrap_err().to_string();
        assert!(problem.starts_with(expected), "{problem}");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_a_huge_file_refused() {
        assert_eq!(ConfigFile::SystemPrompt.parse("\u{feff}{}".as_bytes()), Ok(serde_json::json!({})));
        let huge = vec![b' '; MAX_CONFIG_FILE_BYTES + 1];
        let problem = ConfigFile::Instruction.parse(&huge).unwrap_err().to_string();
        assert!(problem.starts_with("instruction.json: has more than 1048576 bytes"), "{problem}");
        let nested = "[".repeat(100_000);
        assert!(ConfigFile::Instruction.parse(nested.as_bytes()).is_err());
    }

    #[rstest]
    #[case("instructions.json", Some("instruction.json"))]
    #[case("system-prompt.json", Some("system_prompt.json"))]
    #[case("Category_Definitions.json", Some("category_definitions.json"))]
    #[case("category_definition.json", Some("category_definitions.json"))]
    #[case("output_format.json", None)]
    #[case("output_format.schema.json", None)]
    #[case("package.json", None)]
    #[case("notes.txt", None)]
    fn a_file_with_nearly_the_right_name_is_not_ignored(#[case] name: &str, #[case] meant: Option<&str>) {
        let remedy = misnamed(name).map(|problem| problem.remedy);
        assert_eq!(remedy, meant.map(|meant| format!("rename it to `{meant}`, or move it away")));
    }
}
