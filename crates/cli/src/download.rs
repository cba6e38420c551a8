//! `bedrock-batch download`.

use crate::failure::Failure;
use crate::outln::outln;
use crate::outputs::{files, has_guarded_cells, open, single_format};
use crate::stack::Stack;
use arrow_json::LineDelimitedWriter;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::ObjectMeta;
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

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
    let folder = arguments.folder.clone().unwrap_or_else(|| PathBuf::from(&arguments.run));
    std::fs::create_dir_all(&folder).map_err(|e| Failure::Usage(format!("{}: {e}", folder.display())))?;
    let mut paths = Vec::new();
    for object in &found {
        paths.push(fetch(stack, object, &folder).await?);
    }
    let jsonl = folder.join("answers.jsonl");
    let rows = write_jsonl(&paths, has_guarded_cells(stack, &run).await?, &jsonl)?;
    eprintln!("{} files and {} ({rows} rows)", paths.len(), jsonl.display());
    outln!("{}", folder.display());
    Ok(())
}

/// Warns that the run is still active: all files may exist while unanswered rows are being retried, and are rewritten then.
async fn note_if_running(stack: &Stack, run: &str) {
    // Users without permission to describe executions may still read the files.
    if stack.run(run).await.is_ok_and(|run| run.running().is_some()) {
        eprintln!("run {run} is still running: rows without an answer may still receive one");
    }
}

/// Streams an object into a file of the same name.
pub(crate) async fn fetch(stack: &Stack, object: &ObjectMeta, folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join(object.uri.key.rsplit('/').next().unwrap_or_default());
    let get = stack.bucket.client().get_object().bucket(&object.uri.bucket).key(&object.uri.key).send().await;
    let mut body = get.map_err(|error| EngineError::from_aws(format!("cannot read {}", object.uri), &error))?.body;
    let mut file = BufWriter::new(File::create(&path)?);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| Failure::Failed(format!("reading {} failed: {error}", object.uri)))?;
        file.write_all(&piece)?;
    }
    file.flush()?;
    Ok(path)
}

/// Writes one JSON object per row, from the Parquet files or, if there are none, from the CSV files.
fn write_jsonl(paths: &[PathBuf], are_guarded: bool, target: &Path) -> Result<usize, Failure> {
    let sources = single_format(paths.iter().collect(), |path| {
        path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    });
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", target.display()));
    let mut writer = LineDelimitedWriter::new(BufWriter::new(File::create(target)?));
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
