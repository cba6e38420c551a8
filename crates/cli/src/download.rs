//! `bedrock-batch download`.

use crate::failure::Failure;
use crate::outputs::{files, has_guarded_cells, open, single_format};
use crate::private_folder::{NotMoved, PrivateFolder, is_plain_name};
use crate::stack::Stack;
use crate::terminal::{errln, outln};
use arrow_json::LineDelimitedWriter;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::ObjectMeta;
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// File of all rows as JSON.
const JSONL: &str = "answers.jsonl";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the run; the name of a pipeline run means its last stage
    run: String,
    /// Target folder [default: the name of the run]
    folder: Option<PathBuf>,
    /// Stage of the pipeline run to download in place of the last one
    #[arg(long)]
    stage: Option<String>,
    /// Download the files that exist, even if the run is not complete
    #[arg(long)]
    partial: bool,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let run = stack.resolve_run(&arguments.run, arguments.stage.as_deref()).await?;
    let found = files(stack, &run, arguments.partial).await?;
    note_if_running(stack, &run).await;
    let folder = target_folder(arguments)?;
    let cannot = |error: std::io::Error| Failure::Usage(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    let staged = PrivateFolder::within(&folder).map_err(cannot)?;
    let mut paths = Vec::new();
    for object in &found {
        paths.push(fetch(stack, object, &staged).await?);
    }
    let (jsonl, file) = staged.create(JSONL)?;
    let rows = write_jsonl(&paths, has_guarded_cells(stack, &run).await?, &jsonl, file)?;
    // Nothing is replaced before everything is here.
    let names = paths.iter().chain([&jsonl]).filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let moves: Vec<_> = names.map(|name| (name.clone(), folder.join(name))).collect();
    let refused = |refused: NotMoved| Failure::Usage(format!("{}: {}", refused.target.display(), refused.error));
    staged.move_all(&moves).map_err(refused)?;
    let jsonl = folder.join(JSONL);
    errln!("{} files and {} ({rows} rows)", paths.len(), jsonl.display());
    outln!("{}", folder.display());
    Ok(())
}

/// Warns that the run is still active: all files may exist while unanswered rows are being retried, and are rewritten then.
async fn note_if_running(stack: &Stack, run: &str) {
    // Users without permission to describe executions may still read the files.
    if stack.run(run).await.is_ok_and(|run| run.running().is_some()) {
        errln!("run {run} is still running: rows without an answer may still receive one");
    }
}

/// Returns the folder to write to. The one that is named after the run is not written to if it is a link: someone else may
/// have made it. A folder that the user names may be one.
fn target_folder(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(folder) = &arguments.folder {
        return Ok(folder.clone());
    }
    let run = &arguments.run;
    let name = if is_plain_name(run) { run.clone() } else { RunId::of_execution(run).into() };
    let folder = PathBuf::from(name);
    if folder.is_symlink() {
        let rule = "is a link, which is not followed: name the folder to write to";
        return Err(Failure::Usage(format!("{}: {rule}: `bedrock-batch download RUN FOLDER`", folder.display())));
    }
    Ok(folder)
}

/// Streams an object into a new file of the same name.
pub(crate) async fn fetch(stack: &Stack, object: &ObjectMeta, folder: &PrivateFolder) -> Result<PathBuf, Failure> {
    let name = object.uri.key.rsplit('/').next().unwrap_or_default();
    let (path, file) = folder.create(name).map_err(|error| Failure::Failed(format!("{}: {error}", object.uri)))?;
    let get = stack.bucket.client().get_object().bucket(&object.uri.bucket).key(&object.uri.key).send().await;
    let mut body = get.map_err(|error| EngineError::from_aws(format!("cannot read {}", object.uri), &error))?.body;
    let mut file = BufWriter::new(file);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| Failure::Failed(format!("reading {} failed: {error}", object.uri)))?;
        file.write_all(&piece)?;
    }
    file.flush()?;
    Ok(path)
}

/// Writes one JSON object per row, from the Parquet files or, if there are none, from the CSV files.
fn write_jsonl(paths: &[PathBuf], are_guarded: bool, target: &Path, file: File) -> Result<usize, Failure> {
    let sources = single_format(paths.iter().collect(), |path| {
        path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    });
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", target.display()));
    let mut writer = LineDelimitedWriter::new(BufWriter::new(file));
    let mut rows = 0;
    for path in sources {
        for batch in open(path, are_guarded)? {
            let batch = batch?;
            rows += batch.num_rows();
            writer.write(&batch).map_err(|error| failed(&error))?;
        }
    }
    writer.finish().map_err(|error| failed(&error))?;
    writer.into_inner().flush()?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(run: &str, folder: Option<&str>) -> String {
        let folder = folder.map(PathBuf::from);
        let arguments = Arguments { run: run.to_owned(), folder, stage: None, partial: false };
        target_folder(&arguments).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn no_name_of_a_run_leads_out_of_the_current_folder() {
        assert_eq!(target("tickets-1", None), "tickets-1");
        assert_eq!(target("a=b", None), "a=b");
        assert_eq!(target("tickets-1", Some("../answers")), "../answers");
        for run in ["../x", "/etc", "..", "a/b", "a\u{1b}[2J", "a\u{202e}b"] {
            let name = target(run, None);
            assert!(is_plain_name(&name) && !name.contains(".."), "{run:?}: {name}");
        }
    }
}
