//! Models that a job may invoke: the first one, and its fallback once Bedrock refuses the first.

use bedrock_batch_domain::model::{MODEL_REFUSAL_REMEDY, first_use_remedy};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Models in the order of preference, with the refusals so far.
#[derive(Debug)]
pub(super) struct Candidates {
    models: Vec<Candidate>,
    /// Messages of Bedrock for each refused model; their number is that of the models that are skipped.
    refusals: Mutex<Vec<String>>,
}

/// Model that a job may invoke.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) id: String,
    answers: AtomicBool,
}

impl Candidate {
    /// Records that the model has answered: later refusals of a request's form concern the record.
    pub(super) fn record_answer(&self) {
        self.answers.store(true, Ordering::Relaxed);
    }

    pub(super) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }
}

impl Candidates {
    pub(super) fn new(ids: impl IntoIterator<Item = String>) -> Self {
        let models = ids.into_iter().map(|id| Candidate { id, answers: AtomicBool::new(false) });
        Self { models: models.collect(), refusals: Mutex::default() }
    }

    /// Returns the model to invoke now with its index, or `None` if all were refused.
    pub(super) fn current(&self) -> Option<(usize, &Candidate)> {
        let index = self.refusals().len();
        self.models.get(index).map(|model| (index, model))
    }

    /// Skips the model at `index`. If several concurrent requests are refused, only the first refusal counts.
    pub(super) fn refuse(&self, index: usize, code: &str, message: &str) {
        let mut refusals = self.refusals();
        if let (true, Some(model)) = (refusals.len() == index, self.models.get(index)) {
            let next = self.models.get(index + 1).map(|model| model.id.as_str());
            tracing::warn!(model_id = model.id, code, next, "model_refused");
            refusals.push(format!("Bedrock refuses the model {}: {code}: {}", model.id, message.trim_end_matches('.')));
        }
    }

    /// Returns the refusals of all models, with the remedy.
    pub(super) fn refusal_message(&self) -> String {
        let refusals = self.refusals().join("; ");
        let remedy = first_use_remedy(&refusals).unwrap_or(MODEL_REFUSAL_REMEDY);
        format!("{refusals}; {remedy}")
    }

    /// Returns the last model, to which errors are attributed if all were refused.
    pub(super) fn last_id(&self) -> &str {
        self.models.last().map_or("", |model| &model.id)
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<String>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_the_account_has_not_used_before_has_a_remedy_of_its_own() {
        let models = Candidates::new(["a".to_owned()]);
        models.refuse(0, "AccessDeniedException", "not authorized to perform: aws-marketplace:ViewSubscriptions");
        assert!(models.refusal_message().contains("First use of a provider"), "{}", models.refusal_message());
    }

    #[test]
    fn each_model_is_skipped_only_once() {
        let models = Candidates::new(["a".to_owned(), "b".to_owned()]);
        let current = || models.current().map(|(index, model)| (index, model.id.clone()));
        assert_eq!(current(), Some((0, "a".to_owned())));
        models.refuse(0, "AccessDeniedException", "no");
        // The refusal of a concurrent request does not concern the next model.
        models.refuse(0, "AccessDeniedException", "no");
        assert_eq!(current(), Some((1, "b".to_owned())));
        models.refuse(1, "ResourceNotFoundException", "gone");
        assert_eq!(current(), None);
        let message = models.refusal_message();
        for part in
            ["the model a: AccessDeniedException: no;", "the model b: ResourceNotFoundException: gone", "grant access"]
        {
            assert!(message.contains(part), "{message}");
        }
    }
}
