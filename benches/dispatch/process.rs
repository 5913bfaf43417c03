//! What processes cost, from `/proc`.

use std::fs;

/// CPU time of a process, in seconds; exact where the kernel keeps count of each thread.
pub fn cpu_seconds(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_threads: Option<f64> = threads
        .map(|thread| {
            let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
        })
        .sum();
    // Threads that have ended are only in the whole's count, which goes in steps of 10 ms.
    of_threads.unwrap_or(0.0).max(cpu_ticks(pid))
}

fn cpu_ticks(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// How often its threads went to sleep.
pub fn wakeups(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.filter_map(|thread| field(&format!("{}/status", thread.ok()?.path().display()), "voluntary_ctxt")).sum()
}

/// The most memory it ever had, in MiB.
pub fn peak_mib(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/status"), "VmHWM").unwrap() / 1024.0
}

/// The memory that it has, in MiB.
pub fn mib(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/status"), "VmRSS").unwrap() / 1024.0
}

fn field(path: &str, name: &str) -> Option<f64> {
    let status = fs::read_to_string(path).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
