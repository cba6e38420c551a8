//! Complete use cases over S3, as the Lambdas run them, but without Bedrock and, except for one item per run, without
//! DynamoDB, since the baseline has neither.

use crate::core_work::{RUN, attempt, layout};
use crate::measure::{Failure, measured};
use crate::shared_options::SharedOptions;
use bedrock_batch_domain::input::{OutputFormat, RetryOn, StackLimits};
use bedrock_batch_domain::job::JobLimits;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, ModelTable};
use bedrock_batch_domain::prompt::{Prompt, PromptLibrary};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::hub::Hub;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::objects::{Bucket, ObjectMeta, ObjectRangeReader, StreamReader, Uploads, list};
use bedrock_batch_engine::postprocess::{JobAnswers, JoinJob, PromptsRead, Reading, join};
use bedrock_batch_engine::preprocess::{InputReader, Preprocessor, StartInput};
use clap::Args;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use tokio::runtime::{Handle, Runtime};

/// Name of the job table.
const TABLE: &str = "bench";

#[derive(Debug, Args)]
pub(crate) struct Preprocess {
    #[command(flatten)]
    common: SharedOptions,
    /// Input, `s3://bucket/rows.csv` or `s3://bucket/prefix/` of images; chunks are written to the same bucket
    #[arg(long)]
    input: String,
    /// Treat the input as images
    #[arg(long)]
    images: bool,
}

impl Preprocess {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let prompt = Prompt::parse(&std::fs::read_to_string(&self.common.template)?)?;
        let bucket = S3Uri::parse(&self.input)?.bucket;
        let runtime = Runtime::new()?;
        let config = runtime.block_on(bedrock_batch_aws::sdk_config());
        let deployment = Deployment {
            region: "us-east-1".to_owned(),
            limits: StackLimits {
                max_total_records: None,
                max_records_per_job: Some(self.common.max_records_per_job),
                max_concurrent_jobs: 5,
            },
            jobs: JobLimits { per_run: Some(5), quota: None },
            prompts: PromptLibrary { prompts: [("bench".to_owned(), prompt)].into(), ..PromptLibrary::default() },
            models: ModelTable::with_overrides("")?,
            lookup: ModelLookup::default(),
            output_buckets: Vec::new(),
        };
        let bucket = Bucket::new(bedrock_batch_aws::s3_client(&config), bucket);
        let preprocessor = Preprocessor {
            inputs: InputReader { bucket, input_buckets: Vec::new(), input_prefixes: Vec::new(), hub: Hub::default() },
            deployment: Arc::new(deployment),
            jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), TABLE.to_owned()),
        };
        let input = StartInput {
            execution_name: RUN.to_owned(),
            execution_arn: format!("arn:aws:states:us-east-1:000000000000:execution:{RUN}:{RUN}").parse()?,
            started_at: String::new(),
            input: json!({"s3_uri": self.input, "job_name_prefix": RUN, "prompt_id": "bench",
                "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "input_type": if self.images { "image" } else { "text" }}),
        };
        let figures = measured(|| {
            let prepared = runtime.block_on(Box::pin(preprocessor.run(&input)))?;
            Ok::<_, EngineError>(u64::from(prepared.max_concurrency))
        })?;
        Ok(figures)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Postprocess {
    /// Bucket with the chunks that preprocess wrote
    #[arg(long)]
    bucket: String,
    /// Prefix of the answers, `<prefix>/NNNN.jsonl.out`
    #[arg(long)]
    answers: String,
}

impl Postprocess {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let runtime = Runtime::new()?;
        let config = runtime.block_on(bedrock_batch_aws::sdk_config());
        let s3 = bedrock_batch_aws::s3_client(&config);
        let figures = measured(|| runtime.block_on(self.join_all(&s3)))?;
        Ok(figures)
    }

    async fn join_all(&self, s3: &aws_sdk_s3::Client) -> Result<u64, EngineError> {
        let layout = layout()?;
        let mut rows_prefix = layout.rows_key(0);
        rows_prefix.truncate(rows_prefix.len() - "0000.parquet".len());
        let rows = list(s3, &S3Uri::new(&self.bucket, rows_prefix)).await?;
        let answers = list(s3, &S3Uri::new(&self.bucket, format!("{}/", self.answers))).await?;
        let uploads = Uploads::new(&Handle::current(), s3, &self.bucket);
        let mut total = 0;
        for ((index, rows), answers) in (0..).zip(rows).zip(answers) {
            let (s3, uploads, layout) = (s3.clone(), uploads.clone(), layout.clone());
            let work = move || join_chunk(&s3, &uploads, &layout, index, &rows, &answers);
            let done = tokio::task::spawn_blocking(work).await;
            total += done.map_err(|error| EngineError::died("a task", error))??;
        }
        uploads.finish().await?;
        Ok(total)
    }
}

fn join_chunk(
    s3: &aws_sdk_s3::Client,
    uploads: &Uploads,
    layout: &Layout,
    index: u32,
    rows: &ObjectMeta,
    answers: &ObjectMeta,
) -> Result<u64, EngineError> {
    let runtime = Handle::current();
    let reading = Reading { retry_on: &[RetryOn::Missing, RetryOn::Error], prompts: &PromptsRead::default() };
    let outputs = [(OutputFormat::Parquet, layout.output_key(index, "parquet"))];
    let job = JoinJob::new(Family::AnthropicMessages, reading, &outputs);
    let chunks = ObjectRangeReader::new(&runtime, s3, rows);
    let input: Box<dyn Read> = Box::new(StreamReader::new(&runtime, s3, answers));
    let turn = JobAnswers { job: attempt(), answers: Box::new(std::iter::once(input)) };
    Ok(join(&job, &chunks, &rows.uri.to_string(), std::iter::once(turn), uploads)?.counts.rows)
}
