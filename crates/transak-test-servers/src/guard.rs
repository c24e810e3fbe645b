//! A server's process.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait_until;

/// How long a process may take over its ending before it is killed.
const END: Duration = Duration::from_secs(15);

/// Owns a child process and ends it when dropped. If the test process itself is killed, a watcher that notices the end of
/// a pipe does so.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    watcher: Child,
    end: Signal,
}

impl Guard {
    /// Starts a process, without standard input, that is killed at the end.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_to_end_by(command, Signal::KILL)
    }

    /// Starts a process, without standard input, that gets this signal at the end, and is killed only if it goes on.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn spawn_to_end_by(command: &mut Command, end: Signal) -> Self {
        let name = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("cannot start {}: {e}", name.display()));
        let watcher = Command::new("sh")
            .args(["-c", r#"cat >/dev/null; kill -"$2" "$1"; kill -CONT "$1""#, "watcher"])
            .args([child.id().to_string(), end.as_raw().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match watcher {
            Ok(watcher) => Self { child, watcher, end },
            Err(e) => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("cannot start sh: {e}");
            }
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// If it cannot be sent: the process has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        if let Err(e) = kill_process(pid, signal) {
            panic!("cannot send {signal:?} to the server: {e}");
        }
    }

    /// Stops the process at once, as if for good (`SIGSTOP`).
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a paused process go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The watcher first, so that it never kills a process that got the number afterwards.
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
        if self.is_running() && self.end != Signal::KILL {
            let pid = Pid::from_child(&self.child);
            let _ = kill_process(pid, self.end).and_then(|()| kill_process(pid, Signal::CONT));
            wait_until(END, || !self.is_running());
        }
        // A paused process is killed as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
