//! Tests that hold for all kinds of ids.

use super::*;
use crate::problem::Problem;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;

/// Any text, and texts that are nearly names.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9._+/ü-]{0,70}",
        "duplicates/[a-z.-]{0,3}/[0-9]{0,5}",
        "arn:aws:(states|bedrock|s3)?:[a-z0-9-]{0,9}:[0-9]{0,3}:(execution|stateMachine|model-invocation-job)?[:/][ -~]{0,9}",
        "arn:aws:states:eu-west-1:1:(execution|stateMachine):[a-z/]{0,3}(:[a-z=@ü]{0,4})?",
        "arn:aws:bedrock:eu-west-1:1:model-invocation-job/[a-z0-9]{0,13}",
        "(arn)?:{0,9}",
    ]
}

/// Checks that a text that is read is displayed and written as it was.
fn is_kept<T: FromStr<Err = Problem> + Display + Serialize + DeserializeOwned>(text: &str) {
    let parsed = text.parse::<T>();
    let deserialized = serde_json::from_value::<T>(text.into());
    assert_eq!(parsed.is_ok(), deserialized.is_ok());
    if let Ok(name) = parsed {
        assert_eq!(name.to_string(), text);
        assert_eq!(serde_json::to_value(&name).unwrap(), text);
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_kept_as_it_is(text in text()) {
        is_kept::<RunId>(&text);
        is_kept::<JobPrefix>(&text);
        is_kept::<JobName>(&text);
        is_kept::<DuplicatesName>(&text);
        is_kept::<ExecutionArn>(&text);
        is_kept::<StateMachineArn>(&text);
        is_kept::<JobArn>(&text);
        if let Some(arn) = Arn::parse(&text) {
            prop_assert_eq!(arn.to_string(), text.as_str());
        }
    }

    #[test]
    fn the_parts_of_any_arn_make_it_up(text in text(), name in any::<String>()) {
        if let Ok(arn) = ExecutionArn::parse(&text) {
            let resource = format!("execution:{}:{}", arn.state_machine(), arn.name());
            prop_assert_eq!(Arn::parse(&text).unwrap().resource, resource);
            prop_assert!(arn.of_stage(&name).as_str().ends_with(&name));
        }
        if let Ok(arn) = JobArn::parse(&text) {
            prop_assert!(text.ends_with(arn.id()) && !arn.id().is_empty());
        }
        if let Ok(machine) = StateMachineArn::parse(&text) {
            prop_assert!(machine.execution(&name).is_ok_and(|execution| execution.name() == name)
                || machine.execution(&name).is_err());
        }
    }
}
