//! Behaviours: one towards everything, and further ones, each towards the jobs and requests that it names.
//!
//! A test that names its own misbehaves beside others without disturbing them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::history::History;

/// A behaviour, and the history that its seed decides about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Part of the address of a job's input, or of the body of a request on demand. Empty: that of all others.
    pub(crate) part: String,
    pub(crate) behaviour: Behaviour,
    pub(crate) history: Arc<History>,
}

/// All behaviours. The first one is towards everything; later ones go before it.
#[derive(Debug)]
pub(crate) struct Scopes {
    scopes: RwLock<Vec<Scope>>,
}

impl Scopes {
    /// Creates the behaviour towards everything.
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self { scopes: RwLock::new(vec![Scope { behaviour, ..Scope::default() }]) }
    }

    /// Returns the scope of a job by the address of its input, or of a request by its body.
    pub(crate) fn of(&self, text: &[u8]) -> Scope {
        let scopes = self.read();
        // Bodies may be large, and mostly there is nothing to look for.
        let text = if scopes.len() > 1 { String::from_utf8_lossy(text) } else { "".into() };
        scopes.iter().rfind(|scope| text.contains(&scope.part)).cloned().unwrap_or_default()
    }

    /// Returns the behaviour with exactly this part, if it was set.
    pub(crate) fn behaviour(&self, part: &str) -> Option<Behaviour> {
        self.read().iter().find(|scope| scope.part == part).map(|scope| scope.behaviour.clone())
    }

    /// Changes fields of the behaviour with this part. A new one has the defaults in all other fields.
    ///
    /// # Errors
    /// Returns a message that names the field if it is unknown, of the wrong type, or out of its range.
    pub(crate) fn change(&self, part: &str, changes: &Value) -> Result<Behaviour, String> {
        let mut scopes = self.write();
        let known = scopes.iter().position(|scope| scope.part == part);
        let mut scope = known.and_then(|place| scopes.get(place).cloned()).unwrap_or_default();
        scope.behaviour = scope.behaviour.with(changes)?;
        if changes.get("seed").is_some() {
            // Like any other sequence of random numbers, that of a seed begins anew when the seed is set.
            scope.history = Arc::default();
        }
        let behaviour = scope.behaviour.clone();
        match known.and_then(|place| scopes.get_mut(place)) {
            Some(known) => *known = scope,
            None => scopes.push(Scope { part: part.to_owned(), ..scope }),
        }
        Ok(behaviour)
    }

    /// Removes the behaviour with this part. The one towards everything stays.
    pub(crate) fn remove(&self, part: &str) {
        self.write().retain(|scope| scope.part.is_empty() || scope.part != part);
    }

    /// Begins all histories anew.
    pub(crate) fn forget(&self) {
        self.write().iter_mut().for_each(|scope| scope.history = Arc::default());
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Scope>> {
        self.scopes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Scope>> {
        self.scopes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seed_of(scopes: &Scopes, text: &str) -> u64 {
        scopes.of(text.as_bytes()).behaviour.seed
    }

    #[test]
    fn the_latest_behaviour_whose_part_occurs_applies() {
        let scopes = Scopes::new(Behaviour { seed: 1, ..Behaviour::default() });
        scopes.change("/a/", &json!({"seed": 2})).unwrap();
        scopes.change("/a/0001", &json!({"seed": 3})).unwrap();
        assert_eq!(seed_of(&scopes, "s3://bucket/b/0001.jsonl"), 1);
        assert_eq!(seed_of(&scopes, "s3://bucket/a/0000.jsonl"), 2);
        assert_eq!(seed_of(&scopes, "s3://bucket/a/0001.jsonl"), 3);
        scopes.remove("/a/0001");
        assert_eq!(seed_of(&scopes, "s3://bucket/a/0001.jsonl"), 2);
        scopes.remove("");
        assert_eq!(seed_of(&scopes, "s3://bucket/b/0001.jsonl"), 1);
    }

    #[test]
    fn a_change_is_partial_and_a_wrong_one_changes_nothing() {
        let scopes = Scopes::new(Behaviour { fail_rate: 0.5, ..Behaviour::default() });
        scopes.change("/a/", &json!({"seed": 2, "fail_message": "no"})).unwrap();
        let expected = Behaviour { seed: 4, fail_message: Some("no".to_owned()), ..Behaviour::default() };
        assert_eq!(scopes.change("/a/", &json!({"seed": 4})), Ok(expected.clone()));
        assert!(scopes.change("/a/", &json!({"seed": "x"})).is_err());
        assert!(scopes.change("/b/", &json!({"fail_rate": 2})).is_err());
        assert_eq!((scopes.behaviour("/a/"), scopes.behaviour("/b/")), (Some(expected), None));
    }

    #[test]
    fn each_scope_has_a_history_of_its_own_which_a_seed_begins_anew() {
        let scopes = Scopes::new(Behaviour::default());
        scopes.change("/a/", &json!({"seed": 2})).unwrap();
        let job = |uri: &str| scopes.of(uri.as_bytes()).history.new_job(uri);
        assert_eq!(job("s3://bucket/b/0.jsonl"), "1/0.jsonl#1");
        assert_eq!(job("s3://bucket/a/0.jsonl"), "1/0.jsonl#1");
        assert_eq!(job("s3://bucket/a/0.jsonl"), "1/0.jsonl#2");
        scopes.change("/a/", &json!({"fail_rate": 1})).unwrap();
        assert_eq!(job("s3://bucket/a/0.jsonl"), "1/0.jsonl#3");
        scopes.change("/a/", &json!({"seed": 2})).unwrap();
        assert_eq!(job("s3://bucket/a/0.jsonl"), "1/0.jsonl#1");
        scopes.forget();
        assert_eq!(job("s3://bucket/b/0.jsonl"), "1/0.jsonl#1");
    }
}
