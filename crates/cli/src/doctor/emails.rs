//! Subscriptions of the emails about runs that ended, and about alarms.

use super::deployed::Deployed;
use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_sns::types::Subscription;
use bedrock_batch_engine::AwsFailure;

/// Text in place of the ARN of a subscription that is not confirmed.
const PENDING: &str = "PendingConfirmation";
/// Text in place of the ARN of a subscription that its address has ended: SNS lists it for some days, and sends it nothing.
const DELETED: &str = "Deleted";

/// Subjects and outputs of the topics.
const TOPICS: [(&str, &str); 2] = [("emails", "notificationTopicArn"), ("emails of alarms", "alarmTopicArn")];

/// Checks that all subscriptions are confirmed.
pub(super) async fn examine(config: &SdkConfig, stack: &Deployed, findings: &mut Vec<Finding>) {
    for (subject, output) in TOPICS {
        if let Some(topic) = stack.output(output) {
            findings.push(subscriptions_of(config, subject, topic).await);
        }
    }
}

async fn subscriptions_of(config: &SdkConfig, subject: &'static str, topic: &str) -> Finding {
    let mut pages =
        aws_sdk_sns::Client::new(config).list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
    let mut subscriptions = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => subscriptions.extend(page.subscriptions.unwrap_or_default()),
            Err(error) => {
                let (action, context) = ("sns:ListSubscriptionsByTopic", "cannot list the subscriptions");
                return Finding::of_failed_call(subject, action, context, AwsFailure::of(&error));
            }
        }
    }
    of_subscriptions(subject, &subscriptions)
}

fn of_subscriptions(subject: &'static str, subscriptions: &[Subscription]) -> Finding {
    let count = |state| subscriptions.iter().filter(|one| one.subscription_arn() == Some(state)).count();
    let (pending, deleted) = (count(PENDING), count(DELETED));
    match (subscriptions.len() - deleted, pending) {
        (0, _) if deleted > 0 => {
            let remedy = "add an address that is read to `notificationEmails` and deploy, or subscribe it to the topic";
            Finding::wrong(subject, format!("all {deleted} subscriptions were ended by their addresses"), remedy)
        }
        (0, _) => Finding::fine(subject, "no addresses are configured (`notificationEmails`)"),
        (all, 0) => Finding::fine(subject, format!("{all} confirmed")),
        (all, pending) => {
            let found = format!("{pending} of {all} subscriptions are not confirmed");
            Finding::wrong(subject, found, "open the link in the email of AWS; look into the folder of spam")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    fn subscription(arn: &str) -> Subscription {
        Subscription::builder().subscription_arn(arn).build()
    }

    #[test]
    fn an_address_that_is_not_confirmed_gets_nothing() {
        assert_eq!(of_subscriptions("emails", &[]).state, State::Fine);
        assert_eq!(of_subscriptions("emails", &[subscription("arn:aws:sns:…:1")]).state, State::Fine);
        let found = of_subscriptions("emails", &[subscription("arn:aws:sns:…:1"), subscription(PENDING)]);
        assert_eq!(found.state, State::Wrong);
        assert!(found.to_string().contains("1 of 2 subscriptions"), "{found}");
    }

    #[test]
    fn a_deleted_subscription_does_not_count() {
        let confirmed = subscription("arn:aws:sns:…:1");
        let found = of_subscriptions("emails", &[confirmed, subscription(DELETED)]);
        assert_eq!(found.to_string(), "ok    emails: 1 confirmed");
        let found = of_subscriptions("emails", &[subscription(PENDING), subscription(DELETED)]);
        assert!(found.to_string().contains("1 of 1 subscriptions are not confirmed"), "{found}");
        let found = of_subscriptions("emails", &[subscription(DELETED)]);
        assert_eq!(found.state, State::Wrong, "no email arrives: {found}");
    }
}
