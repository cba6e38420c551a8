//! Event "Object Created", as far as it is read.

use bedrock_batch_domain::trigger::Upload;
use serde_json::Value;

/// Created object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// Bucket of the object.
    pub bucket: String,
    /// Uploaded object.
    pub upload: Upload,
}

impl ObjectCreated {
    /// Reads the event; returns `None` if it contains no object.
    pub fn read(event: &Value) -> Option<Self> {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let upload = Upload {
            key: text("/detail/object/key").filter(|key| !key.is_empty())?,
            version_id: text("/detail/object/version-id").unwrap_or_default(),
            sequencer: text("/detail/object/sequencer").unwrap_or_default(),
            etag: text("/detail/object/etag").unwrap_or_default(),
            event_time: text("/time").unwrap_or_default(),
            size: event.pointer("/detail/object/size").and_then(Value::as_u64),
        };
        Some(Self { bucket: text("/detail/bucket/name")?, upload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::trigger::execution_name;
    use proptest::prelude::*;
    use serde_json::json;

    fn event() -> Value {
        json!({"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
            "source": "aws.s3", "account": "111122223333", "time": "2021-11-12T00:00:00Z", "region": "ca-central-1",
            "resources": ["arn:aws:s3:::amzn-s3-demo-bucket1"],
            "detail": {"version": "0", "event-version": "1.2", "bucket": {"name": "amzn-s3-demo-bucket1"},
                "object": {"key": "trigger/clothing/photos.csv", "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184",
                    "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "sequencer": "617f08299329d189"},
                "request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012", "source-ip-address": "192.0.2.1",
                "reason": "PutObject"}})
    }

    #[test]
    fn the_event_is_read() {
        let created = ObjectCreated::read(&event()).unwrap();
        assert_eq!(created.bucket, "amzn-s3-demo-bucket1");
        assert_eq!((created.upload.key.as_str(), created.upload.size), ("trigger/clothing/photos.csv", Some(5)));
        assert_eq!(created.upload.sequencer, "617f08299329d189");
    }

    #[test]
    fn an_event_that_is_delivered_again_has_the_same_execution() {
        let name = |event: &Value| execution_name(&ObjectCreated::read(event).unwrap().upload);
        let mut again = event();
        (again["id"], again["time"]) = (json!("other"), json!("2021-11-12T00:05:00Z"));
        assert_eq!(name(&event()), name(&again));
        again["detail"]["object"]["version-id"] = json!("another upload");
        assert_ne!(name(&event()), name(&again));
    }

    proptest! {
        #[test]
        fn no_event_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}", key in "\\PC{0,60}") {
            let event: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            prop_assert_eq!(ObjectCreated::read(&event), None);
            let read = ObjectCreated::read(&json!({"detail": {"bucket": {"name": "b"}, "object": {"key": key}}}));
            prop_assert!(read.is_none_or(|created| created.upload.key == key));
        }
    }
}
