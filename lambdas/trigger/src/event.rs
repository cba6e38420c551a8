//! The event "Object Created" of S3.
//!
//! Its detail is a type of ours: the S3 event of `aws_lambda_events` is that of S3's own notifications, which have other
//! fields and come without EventBridge.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use bedrock_batch_domain::trigger::Upload;
use bedrock_batch_engine::trigger::ObjectCreated;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Serialize, Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Object {
    key: String,
    version_id: Option<String>,
    sequencer: Option<String>,
    etag: Option<String>,
    size: Option<u64>,
}

/// Returns the texts of the events in a batch of messages of the queue; `None` if the event was handed over directly.
pub(crate) fn queued_events(event: &Value) -> Option<Vec<String>> {
    let records = event.get("Records")?.as_array()?;
    let body = |record: &Value| record.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(records.iter().map(body).collect())
}

/// Returns the object that an event reports; `None` if it reports no object.
pub(crate) fn object_created(event: Value) -> Option<ObjectCreated> {
    let event: EventBridgeEvent<Detail> = serde_json::from_value(event).ok()?;
    let Detail { bucket, object } = event.detail;
    let upload = Upload {
        key: Some(object.key).filter(|key| !key.is_empty())?,
        version_id: object.version_id.unwrap_or_default(),
        sequencer: object.sequencer.unwrap_or_default(),
        etag: object.etag.unwrap_or_default(),
        // As AWS writes it: where an event has no sequencer, its time is part of the execution's name.
        event_time: event.time.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default(),
        size: object.size,
    };
    Some(ObjectCreated { bucket: bucket.name, upload })
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
    fn events_come_from_the_queue_or_directly() {
        assert_eq!(queued_events(&event()), None);
        let text = event().to_string();
        let record = json!({"messageId": "1", "receiptHandle": "r", "body": text, "eventSource": "aws:sqs"});
        assert_eq!(queued_events(&json!({"Records": [record]})), Some(vec![text]));
        assert_eq!(queued_events(&json!({"Records": [{}, 7]})), Some(vec![String::new(); 2]));
        assert_eq!(queued_events(&json!({"Records": {}})), None);
    }

    #[test]
    fn the_event_is_read() {
        let created = object_created(event()).unwrap();
        assert_eq!(created.bucket, "amzn-s3-demo-bucket1");
        assert_eq!((created.upload.key.as_str(), created.upload.size), ("trigger/clothing/photos.csv", Some(5)));
        assert_eq!(created.upload.sequencer, "617f08299329d189");
        assert_eq!(created.upload.event_time, event()["time"].as_str().unwrap());
    }

    #[test]
    fn an_event_that_is_delivered_again_has_the_same_execution() {
        let name = |event: &Value| execution_name(&object_created(event.clone()).unwrap().upload);
        let mut again = event();
        (again["id"], again["time"]) = (json!("other"), json!("2021-11-12T00:05:00Z"));
        assert_eq!(name(&event()), name(&again));
        again["detail"]["object"]["version-id"] = json!("another upload");
        assert_ne!(name(&event()), name(&again));
    }

    #[test]
    fn an_event_without_an_object_reports_none() {
        let with = |pointer: &str, value: Value| {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            object_created(event)
        };
        assert_eq!(object_created(json!(null)), None);
        assert_eq!(with("/detail", json!({})), None);
        assert_eq!(with("/detail/object/key", json!("")), None);
        assert_eq!(with("/detail/object/key", json!(7)), None);
        assert_eq!(with("/detail/bucket", json!("b")), None);
    }

    proptest! {
        #[test]
        fn no_event_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}", key in "\\PC{0,60}") {
            let hostile: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            prop_assert_eq!(object_created(hostile), None);
            let mut event = event();
            event["detail"]["object"]["key"] = json!(key);
            prop_assert!(object_created(event).is_none_or(|created| created.upload.key == key));
        }
    }
}
