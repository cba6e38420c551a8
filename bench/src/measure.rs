//! Measurement of wall time, CPU time of all threads, and peak anonymous memory.

use cpu_time::ProcessTime;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Error of a benchmark: whatever stopped it.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Runs `work`, which returns its number of rows, and measures it.
pub(crate) fn measured<E>(work: impl FnOnce() -> Result<u64, E>) -> Result<Value, E> {
    let peak = Arc::new(AtomicU64::new(rss_anon_bytes()));
    let over = Arc::new(AtomicBool::new(false));
    let sampler = std::thread::spawn({
        let (peak, over) = (Arc::clone(&peak), Arc::clone(&over));
        move || {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(rss_anon_bytes(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    });
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let rows = work()?;
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
    over.store(true, Ordering::Relaxed);
    let _ = sampler.join();
    Ok(json!({
        "rows": rows,
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_rss_anon_bytes": peak.load(Ordering::Relaxed),
        "peak_rss_bytes": status_kib("VmHWM:") * 1024,
    }))
}

fn rss_anon_bytes() -> u64 {
    status_kib("RssAnon:") * 1024
}

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
