//! The command, run as a user runs it, without AWS.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder of the repository.
#[allow(dead_code, reason = "not all tests need it")]
pub(crate) fn repository() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap()
}

/// Outcome of a command.
pub(crate) struct Finished {
    pub(crate) code: i32,
    /// Lines of its standard output.
    pub(crate) lines: Vec<String>,
    /// Its standard error.
    pub(crate) error: String,
}

/// Runs the command in `folder`, with no other environment than `environment`.
pub(crate) fn run(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-batch"));
    command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied());
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let lines = text(done.stdout).lines().map(str::to_owned).collect();
    Finished { code: done.status.code().unwrap(), lines, error: text(done.stderr) }
}
