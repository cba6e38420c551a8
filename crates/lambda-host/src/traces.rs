//! Annotations of traces: the run and the job of an invocation, by which X-Ray finds its trace.
//!
//! Lambda makes the segment of an invocation, which functions cannot annotate: a subsegment of it has the annotations. It goes to
//! the daemon beside the function in one datagram, so that nothing waits for it.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html>

use serde::Deserialize;
use serde_json::json;
use std::net::{SocketAddr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

/// Address of the daemon, set by Lambda.
const DAEMON: &str = "AWS_XRAY_DAEMON_ADDRESS";
/// First line of a datagram.
const HEADER: &str = r#"{"format": "json", "version": 1}"#;
/// Name of the subsegments.
const NAME: &str = "run";
/// Maximum length of the value of an annotation.
const MAX_VALUE_CHARS: usize = 1_000;

/// Run and job of an event, as far as it names them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct About {
    run: Option<String>,
    job: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    run_id: Option<String>,
    /// Name of an execution, which is that of its run.
    execution_name: Option<String>,
    job: Option<Job>,
    state: Option<State>,
    detail: Option<Detail>,
}

#[derive(Deserialize)]
struct Job {
    name: Option<String>,
}

#[derive(Deserialize)]
struct State {
    run_id: Option<String>,
}

/// Detail of an event of a job.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    batch_job_name: Option<String>,
}

impl About {
    /// Reads the names in an event; none from one that has them in another form.
    pub(crate) fn of(event: &str) -> Self {
        let Ok(named) = serde_json::from_str::<Named>(event) else { return Self::default() };
        let run = named.run_id.or(named.execution_name).or_else(|| named.state?.run_id);
        let job = named.job.and_then(|job| job.name).or_else(|| named.detail?.batch_job_name);
        Self { run, job }
    }
}

/// Invocation whose trace is recorded.
#[derive(Debug)]
pub(crate) struct Traced {
    trace_id: String,
    parent_id: String,
    about: About,
    began_at: f64,
}

impl Traced {
    /// Begins a subsegment; `None` if the trace is not recorded, or the event names nothing.
    pub(crate) fn begin(header: Option<&str>, event: &str) -> Option<Self> {
        let part = |name: &str| {
            header?.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let (trace_id, parent_id) = (part("Root")?, part("Parent")?);
        if part("Sampled")? != "1" {
            return None;
        }
        let about = About::of(event);
        (about != About::default()).then(|| Self { trace_id, parent_id, about, began_at: seconds() })
    }

    /// Ends the subsegment, and sends it to the daemon. What cannot be sent is left out.
    pub(crate) fn end(self, is_error: bool) {
        let Some(daemon) = std::env::var(DAEMON).ok().and_then(|address| address.parse::<SocketAddr>().ok()) else {
            return;
        };
        self.send(daemon, is_error);
    }

    fn send(&self, daemon: SocketAddr, is_error: bool) {
        let local = if daemon.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let sent = UdpSocket::bind(local).and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.send_to(self.datagram(is_error).as_bytes(), daemon)
        });
        if let Err(error) = sent {
            tracing::debug!(kind = ?error.kind(), "subsegment_not_sent");
        }
    }

    fn datagram(&self, is_error: bool) -> String {
        let cut =
            |text: &Option<String>| text.as_deref().map(|text| text.chars().take(MAX_VALUE_CHARS).collect::<String>());
        let mut annotations = json!({});
        for (name, value) in [("run", cut(&self.about.run)), ("job", cut(&self.about.job))] {
            if let Some(value) = value {
                annotations[name] = value.into();
            }
        }
        let subsegment = json!({"name": NAME, "id": format!("{:016x}", fastrand::u64(..)), "trace_id": self.trace_id,
            "parent_id": self.parent_id, "type": "subsegment", "start_time": self.began_at, "end_time": seconds(),
            "fault": is_error, "annotations": annotations});
        format!("{HEADER}\n{subsegment}")
    }
}

/// Returns the time in seconds since 1970, as segments have it.
fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;
    use std::time::Duration;

    fn about(run: Option<&str>, job: Option<&str>) -> About {
        About { run: run.map(str::to_owned), job: job.map(str::to_owned) }
    }

    #[rstest]
    #[case::submit(
        r#"{"run_id": "r", "job": {"name": "j-1", "records": 5}, "task_token": "t"}"#,
        about(Some("r"), Some("j-1"))
    )]
    #[case::start(r#"{"action": "start", "execution_name": "r", "input": {"job": 3}}"#, about(Some("r"), None))]
    #[case::next_step(r#"{"action": "next_step", "state": {"run_id": "r", "pass": 1}}"#, about(Some("r"), None))]
    #[case::event_of_a_job(r#"{"detail": {"batchJobName": "j-1"}}"#, about(None, Some("j-1")))]
    #[case::something_else(r#"{"job": "text"}"#, about(None, None))]
    #[case::no_object("7", about(None, None))]
    fn events_name_their_run_and_job(#[case] event: &str, #[case] expected: About) {
        assert_eq!(About::of(event), expected);
    }

    const HEADER_OF_TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    #[rstest]
    #[case(None)]
    #[case(Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"))]
    #[case(Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"))]
    #[case(Some("nonsense"))]
    fn a_trace_that_is_not_recorded_gets_nothing(#[case] header: Option<&str>) {
        assert!(Traced::begin(header, r#"{"run_id": "r"}"#).is_none());
    }

    #[test]
    fn the_daemon_gets_one_subsegment_with_the_annotations() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let traced =
            Traced::begin(Some(HEADER_OF_TRACE), r#"{"run_id": "r\u001b[31m", "job": {"name": "j"}}"#).unwrap();
        traced.send(daemon.local_addr().unwrap(), true);
        let mut buffer = [0; 4096];
        let length = daemon.recv(&mut buffer).unwrap();
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let (header, subsegment) = text.split_once('\n').unwrap();
        assert_eq!(header, HEADER);
        let subsegment: Value = serde_json::from_str(subsegment).unwrap();
        assert_eq!(subsegment["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(subsegment["parent_id"], "53995c3f42cd8ad8");
        assert_eq!(subsegment["annotations"], json!({"run": "r\u{1b}[31m", "job": "j"}));
        assert_eq!((&subsegment["type"], &subsegment["fault"]), (&json!("subsegment"), &json!(true)));
        assert!(subsegment["end_time"].as_f64() >= subsegment["start_time"].as_f64());
        assert_eq!(subsegment["id"].as_str().unwrap().len(), 16);
    }
}
