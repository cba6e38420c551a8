//! `bedrock-batch doctor`: looks at an account before its first run. Each line says that something is as a run needs it, or what
//! to do. It changes nothing, and sends the model nothing unless that is wanted.

mod account;
mod deployed;
mod emails;
mod finding;
mod model;
mod role;
mod storage;

use crate::failure::Failure;
use crate::stack::StackOptions;
use crate::terminal::{errln, outln};
use crate::validate::today;
use aws_config::SdkConfig;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_engine::templates::load_models;
use clap::Args;
use deployed::Deployed;
use finding::{Finding, State};
use model::Examined;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Model or inference profile that the runs are to use
    #[arg(long, value_name = "ID")]
    model_id: Option<String>,
    /// Send the model one request of one token, on demand, which is billed
    #[arg(long, requires = "model_id")]
    ask: bool,
    /// Overrides of the table of models, as deployed
    #[arg(long, value_name = "FILE", default_value = "infra/model-overrides.toml")]
    model_overrides: PathBuf,
}

pub(crate) async fn run(stack: &StackOptions, arguments: &Arguments) -> Result<(), Failure> {
    let stack_name = stack.cloudformation_name()?;
    let config = bedrock_batch_aws::sdk_config().await;
    let table = load_models(&arguments.model_overrides).map_err(Failure::Failed)?.on(&today());
    let findings = examine(&config, &stack_name, arguments, table).await;
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
async fn examine(config: &SdkConfig, stack_name: &str, arguments: &Arguments, table: ModelTable) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(account) = account::examine(config, &mut findings).await else { return findings };
    if let Some(stack) = Deployed::examine(config, stack_name, &mut findings).await {
        storage::examine(config, &stack, &account, &mut findings).await;
        role::examine(config, &stack, &mut findings).await;
        emails::examine(config, &stack, &mut findings).await;
    }
    let examined = Examined { id: arguments.model_id.as_deref(), sends_request: arguments.ask, table };
    model::examine(config, &account.region, examined, &mut findings).await;
    findings
}
