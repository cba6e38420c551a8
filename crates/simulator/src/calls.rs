//! Counts of the calls of each operation, by their outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

/// Answered calls by operation, and by `ok` or the name of the error. Callers that left before the answer are not counted.
pub(crate) type Answered = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// Counts calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    answered: Mutex<Answered>,
}

impl Calls {
    pub(crate) fn all(&self) -> Answered {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, operation: &'static str, outcome: String) {
        *self.lock().entry(operation).or_default().entry(outcome).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps the route of an operation and counts all its answers, whichever layer they come from.
pub(crate) async fn count(
    State((calls, operation)): State<(Arc<Calls>, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    calls.add(operation, outcome(&response));
    response
}

fn outcome(response: &Response) -> String {
    let error = response.headers().get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    match (error, response.status()) {
        (Some(error), _) => error.to_owned(),
        (None, StatusCode::OK) => "ok".to_owned(),
        (None, status) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::{ApiError, ErrorKind, json_response};
    use axum::response::IntoResponse;

    #[test]
    fn an_outcome_is_ok_or_the_error() {
        assert_eq!(outcome(&json_response(StatusCode::OK, &serde_json::json!({}))), "ok");
        assert_eq!(outcome(&ApiError::new(ErrorKind::Throttling, "").into_response()), "ThrottlingException");
        assert_eq!(outcome(&StatusCode::IM_A_TEAPOT.into_response()), "418 I'm a teapot");
    }

    #[test]
    fn calls_are_counted_by_operation_and_outcome() {
        let calls = Calls::default();
        for outcome in ["ok", "ThrottlingException", "ok"] {
            calls.add("Converse", outcome.to_owned());
        }
        let counted = [("ThrottlingException".to_owned(), 1), ("ok".to_owned(), 2)];
        assert_eq!(calls.all(), BTreeMap::from([("Converse", BTreeMap::from(counted))]));
        calls.clear();
        assert!(calls.all().is_empty());
    }
}
