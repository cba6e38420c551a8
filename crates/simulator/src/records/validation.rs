//! Checks of Bedrock before a job is scheduled: readability and format of the files, and quotas. The content of `modelInput`
//! is not checked.

use std::collections::HashSet;

use crate::jobs::Job;
use crate::records::limits::{check_records, check_sizes};
use crate::records::line::{Line, lines};
use crate::storage::{InputFile, Location, Storage};

/// An input file that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct CheckedFile {
    pub(crate) file: InputFile,
    pub(crate) records: u64,
}

/// Checks the whole input. The error is the job's failure message.
pub(crate) async fn validate(storage: &Storage, job: &Job) -> Result<Vec<CheckedFile>, String> {
    let at = Location::read(job.request.input.uri());
    let files = input_files(storage.list(&at).await?, &at)?;
    let sizes: Vec<(&str, u64)> = files.iter().map(|file| (file.key.as_str(), file.bytes)).collect();
    check_sizes(&sizes, job.model.largest_job_bytes())?;
    let mut checked = Vec::new();
    for file in &files {
        // One file at a time is in memory.
        let records = count(&file.key, &storage.read(&at.bucket, &file.key).await?)?;
        checked.push(CheckedFile { file: file.clone(), records });
    }
    let counts: Vec<(&str, u64)> = checked.iter().map(|checked| (checked.file.key.as_str(), checked.records)).collect();
    check_records(&counts)?;
    Ok(checked)
}

/// The one file that was named, or all `.jsonl` files of the folder.
fn input_files(found: Vec<InputFile>, at: &Location) -> Result<Vec<InputFile>, String> {
    let named = found.iter().find(|file| file.key == at.key && !at.key.is_empty() && !at.key.ends_with('/')).cloned();
    if let Some(file) = named {
        let ends_right = has_jsonl_ending(&file.key);
        return if ends_right { Ok(vec![file]) } else { Err(format!("Input file {} is not a .jsonl file", file.key)) };
    }
    let files: Vec<InputFile> = found.into_iter().filter(|file| has_jsonl_ending(&file.key)).collect();
    if files.is_empty() {
        return Err(format!("No .jsonl files found at s3://{}/{}", at.bucket, at.key));
    }
    // Where AWS writes the output of two files with one name is not known, so nothing here should rely on it.
    let mut seen = HashSet::new();
    match files.iter().find(|file| !seen.insert(file.base_name())) {
        Some(file) => Err(format!("The simulator refuses two input files with the name {}", file.base_name())),
        None => Ok(files),
    }
}

fn has_jsonl_ending(key: &str) -> bool {
    std::path::Path::new(key).extension().is_some_and(|ending| ending == "jsonl")
}

fn count(key: &str, file: &[u8]) -> Result<u64, String> {
    let mut records = 0;
    for (number, line) in lines(file) {
        Line::read(line).map_err(|problem| format!("Input file {key}: line {number} {problem}"))?;
        records += 1;
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[&str], at: &str) -> Result<Vec<String>, String> {
        let files = keys.iter().map(|key| InputFile { key: (*key).to_owned(), bytes: 1 }).collect();
        let files = input_files(files, &Location::read(&format!("s3://bucket/{at}")))?;
        Ok(files.into_iter().map(|file| file.key).collect())
    }

    #[test]
    fn a_file_is_taken_alone_and_a_folder_whole() {
        assert_eq!(found(&["in/a.jsonl"], "in/a.jsonl").unwrap(), ["in/a.jsonl"]);
        let folder = ["in/a.jsonl", "in/deep/b.jsonl", "in/photo.png", "in/"];
        assert_eq!(found(&folder, "in/").unwrap(), ["in/a.jsonl", "in/deep/b.jsonl"]);
        assert_eq!(found(&folder, "in").unwrap(), ["in/a.jsonl", "in/deep/b.jsonl"]);
    }

    #[test]
    fn wrong_inputs_are_refused() {
        assert!(found(&["in/a.json"], "in/a.json").unwrap_err().contains("not a .jsonl file"));
        assert!(found(&["in/a.txt"], "in/").unwrap_err().contains("No .jsonl files"));
        assert!(found(&[], "in").unwrap_err().contains("No .jsonl files"));
        assert!(found(&["in/1/a.jsonl", "in/2/a.jsonl"], "in").unwrap_err().contains("a.jsonl"));
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        assert_eq!(count("a", b"{\"modelInput\":{}}\n\n{\"modelInput\":{}}\n"), Ok(2));
        assert!(count("a", b"{\"modelInput\":{}}\nnope").unwrap_err().contains("line 2"));
    }
}
