//! Benchmarks of preprocess and postprocess on local files (`core`) or over S3 (`s3`), and of extraction. Each prints one
//! JSON line with the same keys as the scripts of the baseline. See README.md in this folder.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod core_work;
mod dataset_work;
mod extract_work;
mod floor_work;
mod hostile_work;
mod measure;
mod s3_server;
mod s3_work;
mod shared_options;

use crate::measure::Failure;
use bedrock_batch_engine::keep_freed_memory;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Convert a local CSV to chunk files
    PreprocessCore(core_work::Preprocess),
    /// Join local chunk files with their answers
    PostprocessCore(core_work::Postprocess),
    /// Convert a CSV in S3 to chunk files in S3: the complete use case
    PreprocessS3(s3_work::Preprocess),
    /// Join chunk files in S3 with their answers
    PostprocessS3(s3_work::Postprocess),
    /// Read the objects under a prefix and write objects of given sizes, with no work in between
    FloorS3(floor_work::Floor),
    /// Extract columns of fields from the texts of answers
    Extract(extract_work::Extract),
    /// Compare the time of hostile answers and requests with that of plain ones
    Hostile(hostile_work::Hostile),
    /// Read all rows of a Hugging Face dataset, and drop them
    ReadDataset(dataset_work::ReadDataset),
    /// Serve files from an S3 in memory; not measured
    ServeS3(s3_server::Serve),
}

fn main() -> Result<(), Failure> {
    // As the functions do.
    keep_freed_memory();
    let figures = match Cli::parse().work {
        Work::PreprocessCore(work) => work.run()?,
        Work::PostprocessCore(work) => work.run()?,
        Work::PreprocessS3(work) => work.run()?,
        Work::PostprocessS3(work) => work.run()?,
        Work::FloorS3(work) => work.run()?,
        Work::Extract(work) => work.run()?,
        Work::Hostile(work) => work.run()?,
        Work::ReadDataset(work) => work.run()?,
        Work::ServeS3(work) => return work.run(),
    };
    println!("{figures}");
    Ok(())
}
