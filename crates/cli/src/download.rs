//! `bedrock-batch download`.

use crate::failure::Failure;
use crate::outputs::{files, of_one_format, open};
use crate::say::say;
use crate::stack::Stack;
use arrow_json::LineDelimitedWriter;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::Found;
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name; a pipeline run stands for its last stage
    run: String,
    /// The folder to put them into [default: the run's name]
    folder: Option<PathBuf>,
    /// Another stage of a pipeline run
    #[arg(long)]
    stage: Option<String>,
    /// Take what there is of a run that is not complete
    #[arg(long)]
    partial: bool,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let run = stack.run_meant(&arguments.run, arguments.stage.as_deref()).await?;
    let found = files(stack, &run, arguments.partial).await?;
    note_if_running(stack, &run).await;
    let folder = arguments.folder.clone().unwrap_or_else(|| PathBuf::from(&arguments.run));
    std::fs::create_dir_all(&folder).map_err(|e| Failure::Usage(format!("{}: {e}", folder.display())))?;
    let mut paths = Vec::new();
    for object in &found {
        paths.push(fetch(stack, object, &folder).await?);
    }
    let jsonl = folder.join("answers.jsonl");
    let rows = write_jsonl(&paths, &jsonl)?;
    eprintln!("{} files and {} ({rows} rows)", paths.len(), jsonl.display());
    say!("{}", folder.display());
    Ok(())
}

/// All files may be there while rows without an answer are asked again: then they are written anew.
async fn note_if_running(stack: &Stack, run: &str) {
    // Who cannot look at executions may still read the files.
    if stack.run(run).await.is_ok_and(|run| run.running().is_some()) {
        eprintln!("run {run} still runs: it may yet find answers to rows that have none");
    }
}

/// Streams an object into a file of its name.
pub(crate) async fn fetch(stack: &Stack, object: &Found, folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join(object.uri.key.rsplit('/').next().unwrap_or_default());
    let get = stack.s3.get_object().bucket(&object.uri.bucket).key(&object.uri.key).send().await;
    let mut body = get.map_err(|error| EngineError::from_aws(format!("cannot read {}", object.uri), &error))?.body;
    let mut file = BufWriter::new(File::create(&path)?);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| Failure::Failed(format!("reading {} broke: {error}", object.uri)))?;
        file.write_all(&piece)?;
    }
    file.flush()?;
    Ok(path)
}

/// One JSON object a row; from the Parquet files, or the CSV files where there are no others.
fn write_jsonl(paths: &[PathBuf], target: &Path) -> Result<usize, Failure> {
    let sources = of_one_format(paths.iter().collect(), |path| {
        path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    });
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", target.display()));
    let mut writer = LineDelimitedWriter::new(BufWriter::new(File::create(target)?));
    let mut rows = 0;
    for path in sources {
        for batch in open(path)? {
            let batch = batch?;
            rows += batch.num_rows();
            writer.write(&batch).map_err(|error| failed(&error))?;
        }
    }
    writer.finish().map_err(|error| failed(&error))?;
    writer.into_inner().flush()?;
    Ok(rows)
}
