//! `bedrock-batch doctor`: looks at an account before its first run. Each line says that something is as a run needs it, or what
//! to do. It changes nothing, and sends the model nothing unless that is wanted.

mod account;
mod deployed;
mod emails;
mod finding;
mod model;
mod model_names;
mod service_role;
mod storage;

use crate::failure::Failure;
use crate::stack::StackOptions;
use crate::terminal::{errln, outln};
use aws_config::SdkConfig;
use bedrock_batch_engine::objects::Bucket;
use clap::Args;
use deployed::Deployed;
use finding::{Finding, State};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Model or inference profile that the runs are to use
    #[arg(long, value_name = "ID")]
    model_id: Option<String>,
    /// Send the model one request of one token, on demand, which is billed
    #[arg(long, requires = "model_id")]
    ask: bool,
    /// File of your own limits and models, if it exists
    #[arg(long, value_name = "FILE", default_value = crate::validate::DEFAULT_OVERRIDES)]
    model_overrides: PathBuf,
}

pub(crate) async fn run(stack: &StackOptions, arguments: &Arguments) -> Result<(), Failure> {
    let stack_name = stack.cloudformation_name()?;
    let config = bedrock_batch_aws::sdk_config().await;
    let findings = examine(&config, &stack_name, arguments).await;
    for finding in &findings {
        outln!("{finding}");
    }
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong).count();
    let unknown = findings.iter().filter(|finding| finding.state == State::Unknown).count();
    if wrong > 0 {
        return Err(Failure::Failed(format!("{wrong} of {} checks found something to fix", findings.len())));
    }
    if unknown > 0 {
        errln!("{unknown} of {} checks could not be made", findings.len());
    }
    Ok(())
}

/// Makes all checks, in the order in which they are fixed: without credentials or a region nothing else can be checked, and
/// without the stack nothing of it.
async fn examine(config: &SdkConfig, stack_name: &str, arguments: &Arguments) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(account) = account::examine(config, &mut findings).await else { return findings };
    let mut bucket = None;
    if let Some(stack) = Deployed::examine(config, stack_name, &mut findings).await {
        bucket = stack.output("bucketName").map(|name| Bucket::new(bedrock_batch_aws::s3_client(config), name));
        storage::examine(config, &stack, &account, &mut findings).await;
        service_role::examine(config, stack_name, &mut findings).await;
        emails::examine(config, &stack, &mut findings).await;
    }
    match &arguments.model_id {
        Some(model_id) => {
            let names =
                model_names::examine(config, &account, model_id, (&arguments.model_overrides, bucket), &mut findings)
                    .await;
            if let Some(names) = names {
                model::examine(config, model_id, &names.on_demand, arguments.ask, &mut findings).await;
            }
        }
        None => findings.push(Finding::unknown("model", "none was named", "`bedrock-batch doctor --model-id ID`")),
    }
    findings
}
