//! `ListModelInvocationJobs`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::control::constraints::{Constraints, JOB_NAME, PAGINATION_TOKEN};
use crate::control::wire;
use crate::errors::{ApiError, json_response};
use crate::jobs::{Job, Status};
use crate::simulator::Simulator;
use crate::timestamps::Timestamp;

/// AWS documents neither the default page size nor the order; its console shows the newest first.
const DEFAULT_PAGE: usize = 100;

pub(crate) async fn list(
    State(simulator): State<Arc<Simulator>>,
    query: Result<Query<HashMap<String, String>>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::validation(error.body_text()))?;
    simulator.admit(&simulator.scopes.of(b""), "ListModelInvocationJobs", "")?;
    let filter = Filter::read(&query)?;
    let mut jobs: Vec<(usize, Job)> =
        simulator.jobs.all().into_iter().enumerate().filter(|(_, job)| filter.lets_pass(job)).collect();
    if filter.newest_first {
        jobs.reverse();
    }
    // A token names the last job of the previous page by its place in the order of creation, so that jobs which are added or
    // change in the meantime neither repeat nor hide others.
    if let Some(after) = filter.after {
        jobs.retain(|(place, _)| if filter.newest_first { *place < after } else { *place > after });
    }
    let more = jobs.len() > filter.page;
    jobs.truncate(filter.page);
    let mut answer = json!({
        "invocationJobSummaries": jobs.iter().map(|(_, job)| wire::job(job)).collect::<Vec<_>>(),
    });
    if let (true, Some((last, _)), Some(fields)) = (more, jobs.last(), answer.as_object_mut()) {
        fields.insert("nextToken".to_owned(), json!(format!("after-{last}")));
    }
    Ok(json_response(StatusCode::OK, &answer))
}

struct Filter {
    submitted_after: Option<Timestamp>,
    submitted_before: Option<Timestamp>,
    status: Option<String>,
    name_part: Option<String>,
    newest_first: bool,
    page: usize,
    after: Option<usize>,
}

impl Filter {
    fn read(query: &HashMap<String, String>) -> Result<Self, ApiError> {
        let mut broken = Constraints::default();
        broken.one_of("statusEquals", query.get("statusEquals"), &Status::ALL.map(Status::name));
        broken.optional("nameContains", query.get("nameContains"), 1, 63, Some(&JOB_NAME));
        broken.one_of("sortBy", query.get("sortBy"), &["CreationTime"]);
        broken.one_of("sortOrder", query.get("sortOrder"), &["Ascending", "Descending"]);
        broken.optional("nextToken", query.get("nextToken"), 1, 2048, Some(&PAGINATION_TOKEN));
        let page = query.get("maxResults").map(|text| text.parse::<i64>()).transpose();
        let page = page.map_err(|_| ApiError::validation("maxResults must be a whole number."))?;
        broken.range("maxResults", page, 1, 1000);
        broken.finish()?;
        let after = query.get("nextToken").map(|token| {
            let place = token.strip_prefix("after-").and_then(|place| place.parse().ok());
            place.ok_or_else(|| ApiError::validation("The nextToken is not valid."))
        });
        Ok(Self {
            submitted_after: time(query, "submitTimeAfter")?,
            submitted_before: time(query, "submitTimeBefore")?,
            status: query.get("statusEquals").cloned(),
            name_part: query.get("nameContains").cloned(),
            newest_first: query.get("sortOrder").is_none_or(|order| order == "Descending"),
            page: page.and_then(|page| usize::try_from(page).ok()).unwrap_or(DEFAULT_PAGE),
            after: after.transpose()?,
        })
    }

    fn lets_pass(&self, job: &Job) -> bool {
        self.submitted_after.is_none_or(|time| job.submitted > time)
            && self.submitted_before.is_none_or(|time| job.submitted < time)
            && self.status.as_deref().is_none_or(|status| job.status.name() == status)
            && self.name_part.as_deref().is_none_or(|part| job.request.job_name.contains(part))
    }
}

fn time(query: &HashMap<String, String>, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let read = |text: &String| {
        Timestamp::parse(text).ok_or_else(|| ApiError::validation(format!("{name} is not an ISO 8601 time.")))
    };
    query.get(name).map(read).transpose()
}
