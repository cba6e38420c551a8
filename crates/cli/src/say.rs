//! Writing to stdout.

/// Prints a line to stdout. A reader that has gone (`bedrock-batch status RUN | head -1`) has seen enough: that is no
/// error, where `println!` would panic.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}
pub(crate) use say;
