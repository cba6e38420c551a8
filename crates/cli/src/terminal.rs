//! The only way out to the terminal. Names, cells, answers and messages of services may hold characters that a terminal
//! obeys: they are replaced by visible ones, and no text can add a line that is not its own. `clippy.toml` of this crate
//! forbids all other ways to print.
#![expect(clippy::disallowed_methods, reason = "this is the place that they are reserved for")]

use bedrock_batch_domain::printable;
use clap::Parser;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Prints one line to stdout, for results. Arguments as of `format!`.
macro_rules! outln {
    ($($line:tt)*) => { $crate::terminal::print_line(&format!($($line)*)) };
}
/// Prints one line to stderr, for messages to the user. Arguments as of `format!`.
macro_rules! errln {
    ($($line:tt)*) => { $crate::terminal::report_line(&format!($($line)*)) };
}
pub(crate) use {errln, outln};

/// Prints one line to stdout.
pub(crate) fn print_line(line: &str) {
    write(&mut std::io::stdout(), &printable::line(line));
}

/// Prints a text of several lines to stdout, each with this indent.
pub(crate) fn print_lines(indent: &str, text: &str) {
    for line in printable::lines(text) {
        write(&mut std::io::stdout(), &format!("{indent}{line}"));
    }
}

/// Prints one line to stderr.
pub(crate) fn report_line(line: &str) {
    write(&mut std::io::stderr(), &printable::line(line));
}

/// Prints the failure of the command to stderr. All lines but the first are indented, so that none reads like one of ours.
pub(crate) fn report_failure(failure: &impl Display) {
    for line in failure_lines(&failure.to_string()) {
        write(&mut std::io::stderr(), &line);
    }
}

fn failure_lines(failure: &str) -> Vec<String> {
    let mut lines: Vec<String> = printable::lines(&printable::cause(failure)).map(|line| format!("  {line}")).collect();
    match lines.first_mut() {
        Some(first) => first.replace_range(..2, "error: "),
        None => lines.push("error".to_owned()),
    }
    lines
}

/// Parses the arguments of this process.
///
/// # Errors
/// Returns the exit code if there is nothing to do, after printing why: to stdout if help was requested, else to stderr.
pub(crate) fn parse_arguments<T: Parser>() -> Result<T, i32> {
    let error = match T::try_parse() {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    // The message quotes the arguments, in which a line break would begin a line of its own.
    let printable_arguments = std::env::args_os().map(|argument| printable::line(&argument.to_string_lossy()));
    let error = T::try_parse_from(printable_arguments).err().unwrap_or(error);
    let text = printable::text(&error.render().to_string());
    if error.use_stderr() {
        write(&mut std::io::stderr(), &text);
    } else {
        write(&mut std::io::stdout(), &text);
    }
    Err(error.exit_code())
}

/// Returns the width of the terminal that stdout leads to; `None` if it leads elsewhere.
pub(crate) fn width() -> Option<usize> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| usize::from(terminal.size().1))
}

/// Returns true if stderr leads to a terminal.
pub(crate) fn shows_progress() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes a printable text. A closed pipe (`bedrock-batch status RUN | head -1`) is not an error: the reader has seen enough.
fn write(out: &mut impl Write, text: &str) {
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_failure_cannot_look_like_a_result() {
        let lines = failure_lines("cannot read s3://b/k\u{1b}[2J\nrun tickets: SUCCEEDED\r\n\u{202e}x");
        assert_eq!(lines, ["error: cannot read s3://b/k�[2J", "  run tickets: SUCCEEDED", "  �x"]);
        assert_eq!(failure_lines(""), ["error"]);
    }

    #[test]
    fn a_failure_of_any_length_is_cut_with_a_count() {
        let lines = failure_lines(&"x".repeat(1_000_000));
        assert!(lines.len() == 1 && lines[0].len() < 33_000 && lines[0].ends_with(" more characters)"));
    }
}
