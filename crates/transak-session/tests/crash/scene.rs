//! A Transak, a file, and the processes that come and go.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use transak_sandbox::Sandbox;
use transak_sandbox::fault::{Effect, Fault};
use transak_session::clock::{ManualClock, Timestamp};

use crate::steps::Step;
use crate::{CHILD_LIMIT, EMAIL, child};

/// Does not outlive a test that fails.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        // If it is dead already, there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Scene {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    pub(crate) name: String,
}

impl Scene {
    pub(crate) async fn new(name: String, revokes: bool) -> Self {
        let sandbox = Sandbox::builder().frozen().start().await.unwrap();
        sandbox
            .control()
            .update_settings(|settings| settings.refresh_revokes = revokes);
        let home = tempfile::tempdir().unwrap();
        Self { sandbox, home, name }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("sessions.db")
    }

    fn now(&self) -> i64 {
        self.sandbox.control().clock().unix_millis
    }

    fn start(&self, task: &str, step: Option<Step>) -> Child {
        let settings = self.sandbox.control().settings();
        Command::new(std::env::current_exe().unwrap())
            .arg("--child")
            .args([task, step.map_or(Step::NEVER, Step::name)])
            .arg(self.path())
            .args([self.sandbox.api_url(), self.sandbox.gateway_url()])
            .args([settings.api_key, settings.api_secret, self.now().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs a process to its end and returns what it says last.
    pub(crate) async fn ask(&self, task: &str) -> String {
        let mut child = self.start(task, None);
        self.type_in(&mut child, task).await;
        let output = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = output.await.unwrap().unwrap();
        assert!(output.status.success(), "{}: the child `{task}` failed", self.name);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Kills a process when it has come to the step.
    pub(crate) async fn kill_at(&self, task: &str, step: Step) {
        let acts = || {
            let world = self.sandbox.control().counts().world;
            match step {
                Step::AfterMail => world.otps_sent,
                _ => world.refreshes + world.mints + world.logins + world.logouts,
            }
        };
        if step == Step::AfterEffect {
            // The answer trickles for longer than anybody waits, so the process dies without it.
            for operation in [
                "refreshAccessToken",
                "refreshUserAccessToken",
                "verifyUserOtp",
                "logoutUser",
            ] {
                let effect = Effect::SlowBody {
                    pieces: 10,
                    pause_millis: 10_000,
                };
                self.sandbox.control().inject(Fault::new(effect).on(operation)).unwrap();
            }
        }
        let before = acts();
        let mut victim = Victim(self.start(task, Some(step)));
        let child = &mut victim.0;
        if step != Step::AfterMail {
            self.type_in(child, task).await;
        }
        if matches!(step, Step::AfterMail | Step::AfterEffect) {
            self.until(child, || (acts() > before).then_some(())).await;
        } else {
            let stdout = child.stdout.take().unwrap();
            let line = tokio::task::spawn_blocking(move || {
                let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.find(|line| line == "reached")
            });
            let reached = line.await.unwrap().is_some();
            assert!(reached, "{}: the child never came to {}", self.name, step.name());
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(9),
            "{}: the child did not die of SIGKILL",
            self.name
        );
        assert!(!status.success(), "{}: the child ended by itself", self.name);
        self.sandbox.control().clear_faults();
    }

    /// A person reads the password and types it in.
    async fn type_in(&self, child: &mut Child, task: &str) {
        if task != "login" {
            return;
        }
        // The clock stands still, so the mail of this very login is the one that is not older.
        let now = self.now() / 1_000;
        let mail = || {
            let mail = self.sandbox.control().mailbox_of(EMAIL).pop();
            mail.filter(|mail| mail.sent_at.unix_seconds() >= now)
        };
        let code = self.until(child, mail).await.code;
        writeln!(child.stdin.take().unwrap(), "{code}").unwrap();
    }

    /// Looks again and again, for as long as the child lives.
    async fn until<T>(&self, child: &mut Child, look: impl Fn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{}: the child ended early", self.name);
            assert!(started.elapsed() < CHILD_LIMIT, "{}: nothing happened", self.name);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.sandbox.control().advance(span);
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.sandbox.control().counts().world.refreshes
    }

    pub(crate) fn mints(&self) -> u64 {
        self.sandbox.control().counts().world.mints
    }

    pub(crate) fn mails(&self) -> u64 {
        self.sandbox.control().counts().world.otps_sent
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        let calls = self.sandbox.control().counts().world.calls;
        calls.get(operation).copied().unwrap_or(0)
    }

    /// The file is whole, and everything in it can be read.
    pub(crate) async fn check_file(&self) {
        let store = child::store(&self.path(), ManualClock::new(Timestamp::from_unix_millis(self.now()))).await;
        let verified = store.verify().await.unwrap();
        assert_eq!((verified.records, verified.unreadable), (1, 0), "{}", self.name);
        store.close().await.unwrap();
    }
}
