//! The cores of preprocess and postprocess on local files (`core`) or over S3 (`s3`), and extraction, measured: one JSON
//! line each, of the same keys as the baseline's scripts. See README.md beside.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod core_work;
mod extract_work;
mod floor_work;
mod measure;
mod s3_server;
mod s3_work;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// CSV to chunk files, local
    PreprocessCore(core_work::Preprocess),
    /// Chunk files and answers to answered rows, local
    PostprocessCore(core_work::Postprocess),
    /// CSV to chunk files, in S3: the whole use case
    PreprocessS3(s3_work::Preprocess),
    /// Chunk files and answers to answered rows, in S3
    PostprocessS3(s3_work::Postprocess),
    /// The objects under a prefix read and as many bytes written, with no work between
    FloorS3(floor_work::Floor),
    /// Texts of answers to columns of fields
    Extract(extract_work::Extract),
    /// An S3 in memory, with files in it; not measured
    ServeS3(s3_server::Serve),
}

/// What all of them need.
#[derive(Debug, clap::Args)]
struct Common {
    /// The prompt template
    #[arg(long, default_value = "prompt-templates/sentiment_classifier.toml")]
    template: PathBuf,
    /// Records of a chunk at the most
    #[arg(long, default_value_t = 100_000)]
    max_records_per_job: u32,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let figures = match Cli::parse().work {
        Work::PreprocessCore(work) => work.run()?,
        Work::PostprocessCore(work) => work.run()?,
        Work::PreprocessS3(work) => work.run()?,
        Work::PostprocessS3(work) => work.run()?,
        Work::FloorS3(work) => work.run()?,
        Work::Extract(work) => work.run()?,
        Work::ServeS3(work) => return work.run(),
    };
    println!("{figures}");
    Ok(())
}
