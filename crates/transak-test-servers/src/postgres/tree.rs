//! The processes that a server has started.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to each child of a process. Those that end meanwhile are no error.
pub(super) fn signal_children(parent: u32, signal: Signal) {
    for child in children(parent) {
        if let Some(pid) = Pid::from_raw(child) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Postgres gives each child a process group of its own, so they have to be looked for.
fn children(parent: u32) -> Vec<i32> {
    match std::fs::read_dir("/proc") {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| parent_of(*pid) == Some(parent))
            .collect(),
        Err(_) => {
            let listed = Command::new("pgrep").args(["-P", &parent.to_string()]).output();
            let listed = listed.unwrap_or_else(|e| panic!("there is neither /proc nor pgrep: {e}"));
            String::from_utf8_lossy(&listed.stdout)
                .lines()
                .filter_map(|line| line.trim().parse().ok())
                .collect()
        }
    }
}

fn parent_of(pid: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain anything; state and parent follow it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
