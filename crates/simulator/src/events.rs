//! "Batch Inference Job State Change" events, as reliable as the behaviour makes them.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::behaviour::Behaviour;
use crate::chance::{happens, share};
use crate::jobs::Job;

/// `PutEvents` takes this many entries.
const BATCH: usize = 10;

/// Origin of the events.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) source: String,
    pub(crate) region: String,
    pub(crate) account: String,
}

/// Sends events in order, except for those that are delayed.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    sender: Sender,
    queue: UnboundedSender<PutEventsRequestEntry>,
}

impl Events {
    /// Starts the task that sends; it ends with the last clone of the result.
    pub(crate) fn start(client: Client, sender: Sender) -> Self {
        let (queue, entries) = unbounded_channel();
        tokio::spawn(send(client, entries));
        Self { sender, queue }
    }

    /// Reports the status that the job has now.
    pub(crate) fn report(&self, job: &Job, behaviour: &Behaviour) {
        for delay in deliveries(&job.fate, job.status.name(), behaviour) {
            let (queue, entry) = (self.queue.clone(), self.entry(job));
            if delay.is_zero() {
                drop(queue.send(entry));
            } else {
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    drop(queue.send(entry));
                });
            }
        }
    }

    fn entry(&self, job: &Job) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .time(job.modified.to_smithy())
            .source(&self.sender.source)
            .detail_type("Batch Inference Job State Change")
            .resources(&job.arn)
            .detail(detail(job, &self.sender).to_string())
            .build()
    }
}

/// The eight fields of AWS's sample, and no other.
fn detail(job: &Job, sender: &Sender) -> Value {
    json!({
        "version": "0.0",
        "accountId": sender.account,
        "batchJobName": job.request.job_name,
        "batchJobArn": job.arn,
        "batchModelId": job.model.arn(&sender.region, &sender.account),
        "status": job.status.name(),
        "failureMessage": job.message.as_deref().unwrap_or_default(),
        "creationTime": job.submitted.in_event(),
    })
}

/// Delays after which an event is delivered: none if it is lost, two if it is duplicated.
fn deliveries(fate: &str, status: &str, behaviour: &Behaviour) -> Vec<Duration> {
    let seed = behaviour.seed;
    if happens(behaviour.event_lost_rate, seed, &["event lost", fate, status]) {
        return Vec::new();
    }
    let delay = |copy: &str| {
        let part = share(seed, &["event delay", fate, status, copy]);
        Duration::try_from_secs_f64(part * behaviour.event_delay_seconds).unwrap_or_default()
    };
    let mut delays = vec![delay("first")];
    if happens(behaviour.event_duplicate_rate, seed, &["event twice", fate, status]) {
        delays.push(delay("second"));
    }
    delays
}

async fn send(client: Client, mut entries: UnboundedReceiver<PutEventsRequestEntry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        match client.put_events().set_entries(Some(std::mem::take(&mut batch))).send().await {
            Ok(answer) if answer.failed_entry_count() == 0 => {}
            Ok(answer) => tracing::warn!(failed = answer.failed_entry_count(), "events_refused"),
            Err(error) => tracing::warn!(error = %DisplayErrorContext(error), "events_not_sent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lost_repeated_and_delayed_as_configured() {
        let well = Behaviour::default();
        assert_eq!(deliveries("job", "Completed", &well), [Duration::ZERO]);
        let lossy = Behaviour { event_lost_rate: 1.0, ..Behaviour::default() };
        assert!(deliveries("job", "Completed", &lossy).is_empty());
        let chatty = Behaviour { event_duplicate_rate: 1.0, event_delay_seconds: 3.0, ..Behaviour::default() };
        let delays = deliveries("job", "Completed", &chatty);
        assert_eq!(delays.len(), 2);
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(3)));
        assert_ne!(delays.first(), delays.last());
        assert_eq!(delays, deliveries("job", "Completed", &chatty));
    }
}
