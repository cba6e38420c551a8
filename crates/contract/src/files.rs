//! The files that hold the contract.

use crate::{json, makefile, typescript};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the TypeScript files. It holds nothing else.
const TYPESCRIPT: &str = "infra/lib/contract";
/// The folder of the files for Python and the Makefile. It holds nothing else.
const GENERATED: &str = "crates/contract/generated";

/// A file with its whole text.
pub(crate) struct GeneratedFile {
    /// Relative to the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Returns all files of the contract.
pub(crate) fn generated_files() -> Vec<GeneratedFile> {
    let in_folder = |folder: &str, name: &str, text| GeneratedFile { path: Path::new(folder).join(name), text };
    vec![
        in_folder(TYPESCRIPT, "environment.ts", typescript::environment()),
        in_folder(TYPESCRIPT, "error-names.ts", typescript::error_names()),
        in_folder(TYPESCRIPT, "functions.ts", typescript::functions()),
        in_folder(TYPESCRIPT, "job-table.ts", typescript::job_table()),
        in_folder(TYPESCRIPT, "metrics.ts", typescript::metrics()),
        in_folder(TYPESCRIPT, "payloads.ts", typescript::payloads()),
        in_folder(TYPESCRIPT, "quota-wait.ts", typescript::quota_wait()),
        in_folder(TYPESCRIPT, "steps.ts", typescript::steps()),
        in_folder(TYPESCRIPT, "storage-prefixes.ts", typescript::storage_prefixes()),
        in_folder(TYPESCRIPT, "version.ts", typescript::version()),
        in_folder(GENERATED, "contract.json", json::contract()),
        in_folder(GENERATED, "functions.mk", makefile::functions()),
    ]
}

/// Returns the files in the folders of the contract that are not of it, such as those of a group that was removed.
///
/// # Errors
/// Returns an error if a folder cannot be read.
pub(crate) fn unknown_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let known: Vec<PathBuf> = generated_files().into_iter().map(|file| file.path).collect();
    let mut unknown = Vec::new();
    for folder in [TYPESCRIPT, GENERATED] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let path = Path::new(folder).join(entry?.file_name());
            if !known.contains(&path) {
                unknown.push(path);
            }
        }
    }
    Ok(unknown)
}
