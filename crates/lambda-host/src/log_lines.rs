//! Lines of the log. They are JSON, which escapes C0 control characters only: the others are escaped here, so that a log that
//! is read in a terminal or a browser shows what it contains.

use bedrock_batch_domain::printable::is_hidden;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Stdout, Write};

/// Writer of whole lines of JSON.
#[derive(Debug)]
pub(crate) struct LogLines<W>(W);

impl LogLines<Stdout> {
    pub(crate) fn stdout() -> Self {
        Self(io::stdout())
    }
}

impl<W: Write> Write for LogLines<W> {
    /// Writes lines, which the formatter passes as a whole.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped(&String::from_utf8_lossy(lines)).as_bytes())?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Escapes hidden characters other than line feeds, which are all within texts of JSON.
fn escaped(lines: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| c != '\n' && is_hidden(c);
    if !lines.contains(is_escaped) {
        return Cow::Borrowed(lines);
    }
    let mut out = String::with_capacity(lines.len() + 16);
    for c in lines.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_writer::MemoryWriter;
    use serde_json::{Value, json};

    #[test]
    fn no_field_of_a_log_line_controls_the_terminal_and_each_stays_what_it_is() {
        let hostile = "k\u{1b}]0;t\u{7}\u{7f}\u{9b}31m\u{202e}\u{2028}\u{e0041}\r\n{\"level\":\"ERROR\"}";
        let memory = MemoryWriter::default();
        let out = memory.clone();
        let subscriber = tracing_subscriber::fmt().json().with_ansi(false).with_writer(move || LogLines(out.clone()));
        tracing::subscriber::with_default(subscriber.finish(), || {
            tracing::warn!(key = hostile, error = %hostile, debug = ?hostile, "part_already_exists");
            tracing::info!(key = "Größe 寝袋", "part_already_exists");
        });
        let text = memory.text();
        assert!(!text.replace('\n', "").contains(is_hidden), "{text:?}");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!([&lines[0]["fields"]["key"], &lines[0]["fields"]["error"]], [&json!(hostile), &json!(hostile)]);
        assert_eq!(lines[1]["fields"]["key"], "Größe 寝袋");
    }
}
