//! Events and links. The readers of events are those of the functions.

use bedrock_batch_domain::links::{LinkKey, LinkTarget, is_linkable};
use bedrock_batch_domain::pipeline::FailedChild;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::trigger::{action_for, error_key, execution_name};
use bedrock_batch_engine::notify::{self, NotifyInput};
use bedrock_batch_engine::stop;
use bedrock_batch_lambda_host::ExecutionStatusChange;
use serde_json::Value;
use std::sync::LazyLock;

#[allow(dead_code, reason = "only the reader is a target")]
#[path = "../../lambdas/download/src/http.rs"]
mod link_request;
#[path = "../../lambdas/notify/src/event.rs"]
mod notify_event;
#[allow(dead_code, reason = "only the reader of uploads is a target")]
#[path = "../../lambdas/trigger/src/event.rs"]
mod trigger_event;

static KEY: LazyLock<LinkKey> = LazyLock::new(|| {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr";
    LinkKey::new(secret).unwrap_or_else(|| panic!("the secret is long enough"))
});

/// Checks the readers of all events with a JSON text.
pub fn event(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    if let Some(child) = FailedChild::read(text) {
        let _ = child.execution_name();
    }
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    if let Some(created) = trigger_event::object_created(event.clone()) {
        let name = execution_name(&created.upload);
        assert!((1..=80).contains(&name.chars().count()), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
        let _ = [true, false].map(|takes_inputs| action_for(&created.upload.key, takes_inputs));
        let _ = error_key(&created.upload.key);
    }
    if let Ok(event) = serde_json::from_value::<notify_event::NotifyEvent>(event.clone())
        && let NotifyInput::Execution(ended) = event.into()
    {
        assert!(!ended.execution_arn.as_str().contains(printable::is_hidden));
    }
    let detail = event.get("detail").cloned().unwrap_or(Value::Null);
    if let Ok(change) = serde_json::from_value::<ExecutionStatusChange>(detail) {
        let stopped = stop::EndedExecution::from(change.clone());
        assert_eq!(stopped.execution_arn, notify::EndedExecution::from(change).execution_arn);
    }
    let _ = link_request::link_request(event);
}

/// Checks tokens of links: no text is accepted that was not signed, and a signed one only unchanged.
pub fn token(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    assert!(KEY.check(text, 0).is_err(), "not signed by us: {text}");
    assert!(KEY.check(&format!("v1.{text}"), 0).is_err());
    let (changed, key) = bytes.split_first().map_or((0, text), |(first, _)| (usize::from(*first), text));
    for key in [key.to_owned(), format!("batch_output_parquet/{key}")] {
        let target = LinkTarget { key, expires: 1_700_000_000 };
        let Some(token) = KEY.sign(&target) else {
            assert!(!is_linkable(&target.key));
            continue;
        };
        assert_eq!(KEY.check(&token, 1_699_999_999).as_ref(), Ok(&target));
        assert!(KEY.check(&token, 1_700_000_000).is_err(), "expired");
        let mut other = token.into_bytes();
        let at = changed % other.len();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8_lossy(&other).into_owned();
        assert!(KEY.check(&other, 0).is_err(), "{other}");
    }
}
