//! Writing to stdout.

/// Prints a line to stdout. A closed pipe (`bedrock-batch status RUN | head -1`) is not an error: the reader has seen
/// enough. `println!` would panic.
macro_rules! outln {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}
pub(crate) use outln;
