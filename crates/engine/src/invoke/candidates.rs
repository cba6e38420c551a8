//! The models that a job may ask: the first, and its stand-in once Bedrock refuses the first.

use bedrock_batch_domain::model::MODEL_REFUSAL_REMEDY;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The models, in the order in which they are asked, and which of them were refused.
#[derive(Debug)]
pub(super) struct Candidates {
    models: Vec<Candidate>,
    /// What Bedrock said of each that it refused: as many as were passed over.
    refusals: Mutex<Vec<String>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) id: String,
    answers: AtomicBool,
}

impl Candidate {
    /// Notes that it answered: what is then refused for its form concerns a record.
    pub(super) fn note_answer(&self) {
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

    /// The model to ask now, with its place; none if all were refused.
    pub(super) fn current(&self) -> Option<(usize, &Candidate)> {
        let place = self.refusals().len();
        self.models.get(place).map(|model| (place, model))
    }

    /// Passes over the model at `place`. Of requests under way at once, the first to be refused does it.
    pub(super) fn refuse(&self, place: usize, code: &str, message: &str) {
        let mut refusals = self.refusals();
        if let (true, Some(model)) = (refusals.len() == place, self.models.get(place)) {
            let next = self.models.get(place + 1).map(|model| model.id.as_str());
            tracing::warn!(model_id = model.id, code, next, "the model is refused");
            refusals.push(format!("Bedrock refuses the model {}: {code}: {}", model.id, message.trim_end_matches('.')));
        }
    }

    /// What Bedrock said of all models, and what can be done.
    pub(super) fn why_none(&self) -> String {
        format!("{}; {MODEL_REFUSAL_REMEDY}", self.refusals().join("; "))
    }

    /// The last one, for whom an error is noted when none is left.
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
    fn each_model_is_passed_over_once() {
        let models = Candidates::new(["a".to_owned(), "b".to_owned()]);
        let current = || models.current().map(|(place, model)| (place, model.id.clone()));
        assert_eq!(current(), Some((0, "a".to_owned())));
        models.refuse(0, "AccessDeniedException", "no");
        // A request that was under way is refused as well: that says nothing of the next model.
        models.refuse(0, "AccessDeniedException", "no");
        assert_eq!(current(), Some((1, "b".to_owned())));
        models.refuse(1, "ResourceNotFoundException", "gone");
        assert_eq!(current(), None);
        let why = models.why_none();
        for part in
            ["the model a: AccessDeniedException: no;", "the model b: ResourceNotFoundException: gone", "grant access"]
        {
            assert!(why.contains(part), "{why}");
        }
    }
}
