//! Counts of the invocations of models: per request, and concurrent ones. Requests are kept as hashes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SECOND: Duration = Duration::from_secs(1);

/// Outcomes of the attempts of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Outcomes {
    /// Answered with 200.
    ok: u64,
    /// Answered with an error.
    refused: u64,
    /// Abandoned by the caller before there was an answer.
    abandoned: u64,
}

#[derive(Debug, Default)]
struct Book {
    /// Number of resets: an invocation that began before one is not counted after it.
    era: u64,
    /// By model and content.
    outcomes: BTreeMap<(String, String), Outcomes>,
    in_flight: u64,
    max_in_flight: u64,
    /// Starts of the requests of the last second.
    recent: VecDeque<Instant>,
    busiest_second: usize,
    /// The first start and the last.
    span: Option<(Instant, Instant)>,
}

/// All invocations since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    book: Mutex<Book>,
}

/// An invocation in progress. If it is dropped before its end, it was abandoned.
#[derive(Debug)]
pub(crate) struct Begun<'a> {
    invocations: &'a Invocations,
    era: u64,
    request: (String, String),
    is_over: bool,
}

impl Invocations {
    pub(crate) fn begin(&self, model_id: &str, content: &str) -> Begun<'_> {
        let mut book = self.lock();
        // Read under the lock, so that the starts are in order.
        book.begin(Instant::now());
        let request = (model_id.to_owned(), content.to_owned());
        Begun { invocations: self, era: book.era, request, is_over: false }
    }

    /// Returns all counts, as the simulator's own route shows them.
    pub(crate) fn report(&self) -> Value {
        let book = self.lock();
        let invocations = book.outcomes.iter().map(|((model_id, content), Outcomes { ok, refused, abandoned })| {
            let outcomes = json!({ "ok": ok, "refused": refused, "abandoned": abandoned });
            let Value::Object(mut invocation) = outcomes else { return outcomes };
            invocation.insert("model_id".to_owned(), json!(model_id));
            invocation.insert("content".to_owned(), json!(content));
            Value::Object(invocation)
        });
        json!({
            "invocations": invocations.collect::<Vec<_>>(),
            "max_in_flight": book.max_in_flight,
            "busiest_second": book.busiest_second,
            "seconds": book.seconds(),
        })
    }

    pub(crate) fn clear(&self) {
        let mut book = self.lock();
        *book = Book { era: book.era + 1, ..Book::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn begin(&mut self, now: Instant) {
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        while self.recent.front().is_some_and(|first| now.duration_since(*first) >= SECOND) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.busiest_second = self.busiest_second.max(self.recent.len());
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
    }

    /// Returns the time between the first start and the last.
    fn seconds(&self) -> f64 {
        self.span.map_or(0.0, |(first, last)| last.duration_since(first).as_secs_f64())
    }
}

impl Begun<'_> {
    pub(crate) fn end(mut self, is_answered: bool) {
        self.is_over = true;
        self.settle(|outcomes| if is_answered { &mut outcomes.ok } else { &mut outcomes.refused });
    }

    fn settle(&mut self, count: impl FnOnce(&mut Outcomes) -> &mut u64) {
        let mut book = self.invocations.lock();
        if book.era == self.era {
            book.in_flight -= 1;
            *count(book.outcomes.entry(std::mem::take(&mut self.request)).or_default()) += 1;
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.settle(|outcomes| &mut outcomes.abandoned);
        }
    }
}

/// SHA-256 of a body in hexadecimal; of JSON, with keys in order and no white space, so that one request has one hash
/// however its sender writes it.
pub(crate) fn content(body: &[u8]) -> String {
    let rewritten = serde_json::from_slice::<Value>(body).and_then(|mut body| {
        body.sort_all_objects();
        serde_json::to_vec(&body)
    });
    hex::encode(Sha256::digest(rewritten.as_deref().unwrap_or(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_counted_by_its_outcome() {
        let invocations = Invocations::default();
        let (first, second) = (invocations.begin("m", "a"), invocations.begin("m", "a"));
        let third = invocations.begin("n", "a");
        first.end(true);
        second.end(false);
        drop(third);
        invocations.begin("m", "a").end(true);
        let report = invocations.report();
        let expected = json!([
            { "model_id": "m", "content": "a", "ok": 2, "refused": 1, "abandoned": 0 },
            { "model_id": "n", "content": "a", "ok": 0, "refused": 0, "abandoned": 1 },
        ]);
        assert_eq!((&report["invocations"], &report["max_in_flight"]), (&expected, &json!(3)));
    }

    #[test]
    fn requests_that_began_before_a_reset_are_not_counted_after_it() {
        let invocations = Invocations::default();
        let (old, dropped) = (invocations.begin("m", "a"), invocations.begin("m", "b"));
        invocations.clear();
        let new = invocations.begin("m", "c");
        old.end(true);
        drop(dropped);
        new.end(true);
        let report = invocations.report();
        assert_eq!(report["invocations"], json!([invocation("c")]));
        assert_eq!((&report["max_in_flight"], &report["busiest_second"]), (&json!(1), &json!(1)));
        assert_eq!(invocations.lock().in_flight, 0);
    }

    fn invocation(content: &str) -> Value {
        json!({ "model_id": "m", "content": content, "ok": 1, "refused": 0, "abandoned": 0 })
    }

    #[test]
    fn the_busiest_second_may_begin_at_any_time() {
        let start = Instant::now();
        let busiest = |milliseconds: &[u64]| {
            let mut book = Book::default();
            for at in milliseconds {
                book.begin(start + Duration::from_millis(*at));
            }
            book.busiest_second
        };
        assert_eq!(busiest(&[]), 0);
        assert_eq!(busiest(&[0, 1000, 2000]), 1);
        assert_eq!(busiest(&[0, 600, 900, 1100, 1500, 1590, 5000]), 5);
        assert_eq!(busiest(&[0, 0, 0, 999, 1000]), 4);
    }

    #[test]
    fn the_span_is_from_the_first_start_to_the_last() {
        let (start, mut book) = (Instant::now(), Book::default());
        assert!(book.seconds().abs() < f64::EPSILON);
        for (at, seconds) in [(500, 0.0), (750, 0.25), (2_500, 2.0)] {
            book.begin(start + Duration::from_millis(at));
            assert!((book.seconds() - seconds).abs() < f64::EPSILON, "{at}");
        }
    }

    #[test]
    fn a_request_has_one_hash_however_it_is_written() {
        let hash = content(br#"{"a":{"b":1,"c":[1,2]},"d":"\u00e9"}"#);
        assert_eq!(hash, content("{\"d\": \"\u{e9}\", \"a\": {\"c\": [1, 2], \"b\": 1}}".as_bytes()));
        assert_ne!(hash, content(br#"{"a":{"b":1,"c":[2,1]},"d":"\u00e9"}"#));
        assert_ne!(content(b"no JSON"), content(b"no JSON "));
        assert_eq!(content(b"{ }"), hex::encode(Sha256::digest(b"{}")));
    }
}
