//! Writes the names that Rust shares with the CDK app, the Makefile and Python, or checks that the written ones are up
//! to date. The names are those of [`bedrock_batch_domain::contract`].

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command reports to its terminal")]

mod difference;
mod files;
mod json;
mod makefile;
mod origin;
mod typescript;

use files::{GeneratedFile, generated_files};
use origin::{COMMAND, SOURCE};
use std::io;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let done = match std::env::args().nth(1).as_deref() {
        Some("write") => write(&root),
        Some("check") => check(&root),
        _ => {
            eprintln!("usage: contract write|check");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// Writes all files.
fn write(root: &Path) -> io::Result<ExitCode> {
    for GeneratedFile { path, text } in generated_files() {
        let target = root.join(path);
        let folder = target.parent().unwrap_or(root);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&target, text));
        written.map_err(|error| naming(&target, &error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares all files with what [`write`] would write, and reports every difference.
fn check(root: &Path) -> io::Result<ExitCode> {
    let mut stale = 0;
    for GeneratedFile { path, text } in generated_files() {
        let target = root.join(&path);
        let found = match std::fs::read_to_string(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| naming(&target, &error))?,
        };
        if let Some(difference) = difference::between(&found, &text) {
            stale += 1;
            println!("{}\n{difference}", path.display());
        }
    }
    for path in files::unknown_files(root)? {
        stale += 1;
        println!("{} is not a file of the contract: remove it", path.display());
    }
    if stale == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{stale} files of the contract do not match {SOURCE}. Write them with `{COMMAND}`");
    Ok(ExitCode::FAILURE)
}

/// The error with the path that it is about.
fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
