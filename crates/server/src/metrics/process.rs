//! What every program tells about its process, by the names that Prometheus recommends. Where the operating system
//! does not tell, they stay zero.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::{Seconds, add, now};

pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
    threads: Gauge,
    open_files: Gauge,
    files_limit: Gauge,
}

impl Process {
    pub(super) fn begin(registry: &mut Registry) -> Self {
        let began: Seconds = add(registry, "process_start_time_seconds", "When the process began");
        began.set(now().as_secs_f64());
        Self {
            cpu: add(registry, "process_cpu_seconds", "The CPU time that it has used"),
            memory: add(registry, "process_resident_memory_bytes", "Its memory"),
            threads: add(registry, "process_threads", "Its threads"),
            open_files: add(registry, "process_open_fds", "Its open files and connections"),
            files_limit: add(registry, "process_max_fds", "How many it may have open"),
        }
    }

    pub(super) fn read(&self) {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        if let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(used.tv_sec), u32::try_from(used.tv_nsec)) {
            let used = Duration::new(seconds, nanoseconds).as_secs_f64();
            self.cpu.inner().store(used.to_bits(), Ordering::Relaxed);
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.memory.set(field(&status, "VmRSS:").saturating_mul(1024));
        self.threads.set(field(&status, "Threads:"));
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        self.open_files.set(i64::try_from(open).unwrap_or(i64::MAX));
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(0);
        self.files_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

/// A number of `/proc/self/status`.
fn field(status: &str, name: &str) -> i64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}
