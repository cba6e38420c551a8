//! Reading of a Hugging Face dataset by range requests, from its listing to its last batch of rows.

use crate::measure::{Failure, measured};
use bedrock_batch_domain::hub::DatasetSource;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::hub::{Endpoint, Hub};
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use clap::Args;
use serde_json::Value;
use tokio::runtime::Runtime;

#[derive(Debug, Args)]
pub(crate) struct ReadDataset {
    /// Endpoint of the Hub
    #[arg(long)]
    hub: String,
    /// Dataset, `owner/name`
    #[arg(long)]
    dataset: String,
}

impl ReadDataset {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let hub = Hub::new(self.hub.parse::<Endpoint>()?, None);
        let source = DatasetSource {
            dataset_id: self.dataset.clone(),
            split: "train".to_owned(),
            config: None,
            revision: None,
            allow_partial: false,
        };
        let runtime = Runtime::new()?;
        let figures = measured(|| {
            let dataset = runtime.block_on(hub.find(&source, None))?;
            let mut rows = 0;
            for file in &dataset.files {
                let (_, batches) = ParquetRows::open(dataset.reader(runtime.handle(), file)?, &file.name, None)?;
                for batch in batches {
                    rows += batch?.num_rows() as u64;
                }
            }
            Ok::<_, EngineError>(rows)
        })?;
        Ok(figures)
    }
}
