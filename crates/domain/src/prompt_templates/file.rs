//! File of a generated prompt.

use crate::input::MAX_INLINE_PROMPT_BYTES;
use crate::json_members::{Place, parse};
use crate::problem::Problem;
use serde_json::{Map, Value};

/// Maximum size of a file: that of a prompt.
pub const MAX_TEMPLATE_FILE_BYTES: usize = MAX_INLINE_PROMPT_BYTES;

/// File with its content.
#[derive(Debug, Clone, Copy)]
pub struct TemplateFile<'a> {
    /// Field of the input that names it.
    pub named_by: &'static str,
    /// Address or path of the file.
    pub name: &'a str,
    /// Content.
    pub content: &'a [u8],
}

impl<'a> TemplateFile<'a> {
    /// Returns the name of a member of the file in messages; empty for the file itself.
    pub(super) fn field(&self, member: &str) -> String {
        let Self { named_by, name, .. } = self;
        if member.is_empty() { format!("{named_by}, {name}") } else { format!("{named_by}, {member} of {name}") }
    }

    /// Returns the text, without the byte order mark that some editors write.
    pub(super) fn text(&self) -> &'a [u8] {
        self.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.content)
    }

    /// Parses the object that the file contains.
    ///
    /// # Errors
    /// Returns the problem if it contains anything else, or if an object in it names a member twice: one of them would be lost.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Problem> {
        if self.content.len() > MAX_TEMPLATE_FILE_BYTES {
            let rule = format!("has over {MAX_TEMPLATE_FILE_BYTES} bytes, the maximum size of a file of a prompt");
            return Err(Problem::without_value(self.field(""), rule));
        }
        match parse(self.text(), Place::Strict) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Problem::without_value(self.field(""), "must contain a JSON object")),
            Err(error) => {
                let rule = format!("is not valid JSON: {error}");
                Err(Problem::without_value(self.field(""), rule).remedy("generate it again, or correct it"))
            }
        }
    }
}
