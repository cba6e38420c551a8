//! Lower bound for preprocess over S3, with the same client: lists and reads the objects under a prefix, with the
//! concurrency used for images, while it writes objects of the given sizes through the same uploads, without any work in
//! between.

use crate::measure::{Failure, measured};
use aws_sdk_s3::Client;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::images::CONCURRENCY;
use bedrock_batch_engine::objects::{ClosableWrite, ObjectMeta, ObjectSink, Pages, Uploads};
use clap::Args;
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Number of bytes per write.
const BLOCK: usize = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct Floor {
    /// Objects to read, `s3://bucket/prefix/`; objects are written to the same bucket
    #[arg(long)]
    read: String,
    /// Size in bytes of an object to write; can be repeated
    #[arg(long)]
    write_bytes: Vec<u64>,
}

impl Floor {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let prefix = S3Uri::parse(&self.read)?;
        let runtime = Runtime::new()?;
        let config = runtime.block_on(bedrock_batch_aws::sdk_config());
        let s3 = bedrock_batch_aws::s3_client(&config);
        let figures = measured(|| runtime.block_on(self.read_and_write(&s3, &prefix)))?;
        Ok(figures)
    }

    async fn read_and_write(&self, s3: &Client, prefix: &S3Uri) -> Result<u64, EngineError> {
        let uploads = Uploads::new(&Handle::current(), s3, &prefix.bucket);
        let writing = tokio::task::spawn_blocking({
            let (uploads, sizes) = (uploads.clone(), self.write_bytes.clone());
            move || write(&uploads, &sizes)
        });
        let read = read(s3, prefix).await?;
        writing.await.map_err(|error| EngineError::died("a task", error))??;
        uploads.finish().await?;
        Ok(read)
    }
}

async fn read(s3: &Client, prefix: &S3Uri) -> Result<u64, EngineError> {
    let room = Arc::new(Semaphore::new(CONCURRENCY));
    let mut pages = Pages::new(s3, prefix);
    let mut reading = JoinSet::new();
    let mut objects = 0;
    while let Some(page) = pages.next().await? {
        for found in page {
            let Ok(room) = Arc::clone(&room).acquire_owned().await else { break };
            let s3 = s3.clone();
            reading.spawn(async move {
                let done = read_one(&s3, &found).await;
                drop(room);
                done
            });
            while let Some(done) = reading.try_join_next() {
                done.map_err(|error| EngineError::died("a task", error))??;
            }
            objects += 1;
        }
    }
    while let Some(done) = reading.join_next().await {
        done.map_err(|error| EngineError::died("a task", error))??;
    }
    Ok(objects)
}

async fn read_one(s3: &Client, found: &ObjectMeta) -> Result<(), EngineError> {
    let message = || format!("cannot read {}", found.uri);
    let object = s3.get_object().bucket(&found.uri.bucket).key(&found.uri.key).send().await;
    let object = object.map_err(|error| EngineError::from_aws(message(), &error))?;
    object.body.collect().await.map_err(|error| EngineError::transient(message()).caused_by(error))?;
    Ok(())
}

fn write(uploads: &Uploads, sizes: &[u64]) -> Result<(), EngineError> {
    let block = vec![b'x'; BLOCK];
    for (index, size) in sizes.iter().enumerate() {
        let mut object = uploads.create(&format!("floor/{index:04}"))?;
        let mut left = usize::try_from(*size).unwrap_or(usize::MAX);
        while left > 0 {
            let length = left.min(BLOCK);
            object.write_all(&block[..length])?;
            left -= length;
        }
        object.close()?;
    }
    Ok(())
}
