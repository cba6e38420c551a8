//! Questions to Bedrock about the models of a request, before anything is submitted: whether they are alive, how they can be
//! invoked, which inference profiles exist in the region, and how many batch jobs the account may have.
//!
//! The calls are few and end in time. None of them ends a run: what Bedrock does not say, the table of models says, and the
//! failed call is a warning.

mod failure;
mod quotas;

use aws_sdk_bedrock::Client as Bedrock;
use aws_sdk_bedrock::types::{
    FoundationModelDetails, FoundationModelLifecycleStatus, InferenceProfileType, InferenceType, ModelModality,
};
use aws_sdk_servicequotas::Client as ServiceQuotas;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::model::{AwsModels, ModelId, OfferedModel};
use failure::{Failure, code_of};
use quotas::{JobQuotas, job_quotas, quota_of};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Maximum age of a cached answer. Models change over months, and a container lives for hours.
const MAX_AGE: Duration = Duration::from_mins(15);
/// Maximum time of a call with its retries, and of all pages of a listing.
const MAX_CALL: Duration = Duration::from_secs(10);
/// Maximum number of pages of profiles, of 1,000 each; AWS has some hundred.
const MAX_PAGES: usize = 10;
/// Maximum number of models whose answers are cached: inputs name them.
const MAX_CACHED_MODELS: usize = 1_000;

/// Answers of Bedrock about models. Created once per container, which caches answers for a while.
#[derive(Debug, Default)]
pub struct ModelLookup {
    bedrock: Option<Bedrock>,
    quotas: Option<ServiceQuotas>,
    cache: Mutex<CachedAnswers>,
}

#[derive(Debug, Default)]
struct CachedAnswers {
    models: HashMap<String, (Instant, Option<NamedModel>)>,
    profiles: Option<(Instant, BTreeSet<String>)>,
    quotas: Option<(Instant, JobQuotas)>,
}

/// Model with the names by which Service Quotas may know it.
#[derive(Debug, Clone)]
struct NamedModel {
    offered: OfferedModel,
    name: String,
    provider: String,
}

impl ModelLookup {
    /// Creates a lookup with a client of Bedrock. Without one (the default), the table of models decides alone.
    pub fn new(bedrock: Bedrock) -> Self {
        Self { bedrock: Some(bedrock), ..Self::default() }
    }

    /// Looks up quotas of batch jobs, too.
    #[must_use]
    pub fn with_quotas(self, quotas: ServiceQuotas) -> Self {
        Self { quotas: Some(quotas), ..self }
    }

    /// Requests what Bedrock says about the models with these ids. Ids that Bedrock would refuse
    /// as invalid are left out.
    pub async fn query(&self, model_ids: Vec<&str>) -> AwsModels {
        let mut found = AwsModels::default();
        let Some(bedrock) = &self.bedrock else { return found };
        let parsed = model_ids.into_iter().filter_map(|id| ModelId::parse(id).ok());
        let ids: BTreeSet<String> = parsed.filter(ModelId::has_id_of_foundation_model).map(|id| id.base).collect();
        let mut named = Vec::new();
        for id in &ids {
            match self.model(bedrock, id).await {
                Ok(Some(model)) => named.push((id, model)),
                Ok(None) => drop(found.models.insert(id.clone(), None)),
                Err(failure) => found.failed_calls.push(format!(
                    "Bedrock did not say whether it offers `{id}` (bedrock:GetFoundationModel: {failure}): the table of \
                     models decided"
                )),
            }
        }
        match self.profiles(bedrock).await {
            Ok(ids) => found.profiles = Some(ids),
            Err(failure) => found.failed_calls.push(format!(
                "Bedrock did not say which inference profiles exist (bedrock:ListInferenceProfiles: {failure}): the \
                 table of models decided"
            )),
        }
        let quotas = match &self.quotas {
            Some(client) if !named.is_empty() => self.quotas(client).await.unwrap_or_else(|failure| {
                found.failed_calls.push(format!(
                    "Service Quotas did not say how many batch jobs the account may have (servicequotas:ListServiceQuotas: \
                     {failure}): runs share no limit, and wait where Bedrock refuses a job. Setting `jobQuota` makes \
                     the call needless"
                ));
                JobQuotas::new()
            }),
            _ => JobQuotas::new(),
        };
        for (id, NamedModel { offered, name, provider }) in named {
            let job_quota = quota_of(&quotas, &provider, &name);
            found.models.insert(id.clone(), Some(OfferedModel { job_quota, ..offered }));
        }
        for call in &found.failed_calls {
            tracing::warn!(call, "model_lookup_failed");
        }
        found
    }

    async fn model(&self, bedrock: &Bedrock, id: &str) -> Result<Option<NamedModel>, Failure> {
        if let Some((_, offered)) =
            self.cached(|cache| cache.models.get(id).filter(|(since, _)| is_fresh(*since)).cloned())
        {
            return Ok(offered);
        }
        let call = async {
            match bedrock.get_foundation_model().model_identifier(id).send().await {
                Ok(answer) => Ok(answer.model_details().map(named)),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                    Ok(None)
                }
                Err(error) => Err(code_of(&error)),
            }
        };
        let offered = in_time(call).await?;
        self.cached(|cache| {
            if cache.models.len() >= MAX_CACHED_MODELS {
                cache.models.clear();
            }
            cache.models.insert(id.to_owned(), (Instant::now(), offered.clone()));
        });
        Ok(offered)
    }

    async fn profiles(&self, bedrock: &Bedrock) -> Result<BTreeSet<String>, Failure> {
        let fresh = |cache: &mut CachedAnswers| cache.profiles.as_ref().filter(|(since, _)| is_fresh(*since)).cloned();
        if let Some((_, ids)) = self.cached(fresh) {
            return Ok(ids);
        }
        let call = async {
            let request = bedrock.list_inference_profiles().type_equals(InferenceProfileType::SystemDefined);
            let mut pages = request.max_results(1_000).into_paginator().send();
            let mut ids = BTreeSet::new();
            for _ in 0..MAX_PAGES {
                let Some(page) = pages.next().await else { return Ok(ids) };
                let page = page.map_err(|error| code_of(&error))?;
                let profiles = page.inference_profile_summaries().iter();
                let active = profiles.filter(|profile| profile.status().as_str() == "ACTIVE");
                ids.extend(active.map(|profile| profile.inference_profile_id().to_owned()));
            }
            Err("more pages than expected".to_owned())
        };
        let ids: BTreeSet<String> = in_time(call).await?;
        self.cached(|cache| cache.profiles = Some((Instant::now(), ids.clone())));
        Ok(ids)
    }

    async fn quotas(&self, client: &ServiceQuotas) -> Result<JobQuotas, Failure> {
        let fresh = |cache: &mut CachedAnswers| cache.quotas.as_ref().filter(|(since, _)| is_fresh(*since)).cloned();
        if let Some((_, quotas)) = self.cached(fresh) {
            return Ok(quotas);
        }
        let quotas = in_time(job_quotas(client)).await?;
        self.cached(|cache| cache.quotas = Some((Instant::now(), quotas.clone())));
        Ok(quotas)
    }

    fn cached<T>(&self, of: impl FnOnce(&mut CachedAnswers) -> T) -> T {
        of(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_fresh(since: Instant) -> bool {
    since.elapsed() < MAX_AGE
}

async fn in_time<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(MAX_CALL, call).await.unwrap_or_else(|_| Err(format!("no answer in {} s", MAX_CALL.as_secs())))
}

fn named(details: &FoundationModelDetails) -> NamedModel {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    NamedModel { offered: offered(details), name: text(details.model_name()), provider: text(details.provider_name()) }
}

fn offered(details: &FoundationModelDetails) -> OfferedModel {
    let lifecycle = details.model_lifecycle();
    let end = lifecycle.and_then(|lifecycle| lifecycle.end_of_life_time()?.fmt(Format::DateTime).ok());
    let types = details.inference_types_supported();
    let inputs = details.input_modalities();
    OfferedModel {
        is_legacy: lifecycle.is_some_and(|lifecycle| *lifecycle.status() == FoundationModelLifecycleStatus::Legacy),
        end_of_life: end.and_then(|end| end.get(..10).map(str::to_owned)),
        on_demand: details.inference_types_supported.is_some().then(|| types.contains(&InferenceType::OnDemand)),
        takes_images: (!inputs.is_empty()).then(|| inputs.contains(&ModelModality::Image)),
        job_quota: None,
    }
}
