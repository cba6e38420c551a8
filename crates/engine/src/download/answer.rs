//! Responses to requests for links.

use bedrock_batch_domain::printable;
use std::collections::BTreeMap;

/// HTTP response. It has no `Debug`, because the address that it redirects to is a secret.
#[derive(Clone)]
pub struct LinkAnswer {
    /// Status code.
    pub status: u16,
    /// Headers, by their names in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// Body.
    pub body: String,
}

impl LinkAnswer {
    fn new(status: u16, sentence: &str) -> Self {
        let headers = [
            ("cache-control", "no-store"),
            ("content-type", "text/plain; charset=utf-8"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        // A sentence may name a file.
        let body = if sentence.is_empty() { String::new() } else { format!("{}\n", printable::line(sentence)) };
        Self { status, headers, body }
    }

    fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.insert(header, value);
        self
    }

    pub(super) fn redirect(url: String) -> Self {
        Self::new(302, "").with("location", url)
    }

    pub(super) fn only_get() -> Self {
        Self::new(405, "A link can only be fetched (GET, HEAD).").with("allow", "GET, HEAD".to_owned())
    }

    pub(super) fn forged() -> Self {
        Self::new(
            403,
            "This link is not valid: it is incomplete, was modified, or was withdrawn. Copy all of it from the email, \
             or get the files with `bedrock-batch download RUN`; the email names the run.",
        )
    }

    pub(super) fn expired(ended: &str) -> Self {
        let sentence = format!(
            "This link worked until {ended}. Get the file with `bedrock-batch download RUN`; the email names the \
             run."
        );
        Self::new(410, &sentence)
    }

    pub(super) fn gone(name: &str) -> Self {
        Self::new(404, &format!("The link is valid, but the file {name} is no longer in the bucket."))
    }

    pub(super) fn unavailable() -> Self {
        Self::new(503, "The file cannot be reached at the moment. Try again in a minute.")
            .with("retry-after", "60".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_not_cached_and_sends_no_referrer() {
        let answer = LinkAnswer::redirect("https://s3/x".to_owned());
        let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = [
            ("cache-control", "no-store"),
            ("content-type", "text/plain; charset=utf-8"),
            ("location", "https://s3/x"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ];
        assert_eq!((answer.status, answer.body.as_str(), headers.as_slice()), (302, "", expected.as_slice()));
    }

    #[test]
    fn every_refusal_names_the_reason_and_the_remedy() {
        let expired = LinkAnswer::expired("2026-11-27 16:17 UTC");
        assert!(expired.body.starts_with("This link worked until 2026-11-27 16:17 UTC."), "{}", expired.body);
        assert!(expired.body.contains("bedrock-batch download"));
        let statuses = [LinkAnswer::forged(), expired, LinkAnswer::gone("a"), LinkAnswer::only_get()];
        assert_eq!(statuses.map(|answer| answer.status), [403, 410, 404, 405]);
    }
}
