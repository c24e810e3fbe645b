//! Postgres.

mod programs;
mod tree;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Certificates, Guard, free_port, wait_until};
use programs::Programs;

/// Names a server that runs already, as a URL with a user that may make schemas and databases.
pub const URL_VARIABLE: &str = "TRANSAK_TEST_POSTGRES_URL";

const START: Duration = Duration::from_secs(60);

/// A server to talk to.
#[derive(Debug)]
pub struct Endpoint {
    /// Its URL, `postgres://…`.
    pub url: String,
    _server: Option<PostgresServer>,
}

/// The server that [`URL_VARIABLE`] names, else a new one. Work in a schema of your own, and do not stop it.
///
/// # Panics
///
/// As [`PostgresServer::start`].
#[must_use]
pub fn endpoint() -> Endpoint {
    match std::env::var(URL_VARIABLE) {
        Ok(url) if !url.is_empty() => Endpoint { url, _server: None },
        _ => {
            let server = PostgresServer::start();
            Endpoint {
                url: server.url(),
                _server: Some(server),
            }
        }
    }
}

/// A server of our own, for as long as this lives. Everybody on this machine may connect as `postgres`, without a password.
///
/// Postgres refuses to run as root; if this process is root's, the server runs as the user `postgres`.
#[derive(Debug)]
pub struct PostgresServer {
    guard: Option<Guard>,
    programs: Programs,
    port: u16,
    arguments: Vec<String>,
    directory: TempDir,
}

impl PostgresServer {
    /// Starts a server that does not wait for the disk. What it has acknowledged survives the end of its processes all the
    /// same, though not that of the machine.
    ///
    /// # Panics
    ///
    /// If there is no Postgres, or it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&["-c", "fsync=off"])
    }

    /// Starts a server that waits for the disk before it acknowledges a write: for measurements.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_flushing() -> Self {
        Self::start_with(&["-c", "fsync=on"])
    }

    /// Starts a server with arguments of your own (`-c`, `name=value`), and Postgres' defaults.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let programs = Programs::find();
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary directory: {e}"));
        programs.give(directory.path());
        let mut server = Self {
            guard: None,
            programs,
            port: 0,
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            directory,
        };
        server.initialise();
        // Somebody else may have taken the port meanwhile.
        for _ in 0..3 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("postgres does not come up; its log:\n{}", server.log());
    }

    /// Starts a server that offers TLS, with the key and certificate for a server.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with_tls(certificates: &Certificates) -> Self {
        let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
        let authority = certificates.path("ca.pem");
        Programs::find().give(&key);
        Self::start_with(&[
            "-c",
            "fsync=off",
            "-c",
            "ssl=on",
            "-c",
            &format!("ssl_cert_file={}", certificate.display()),
            "-c",
            &format!("ssl_key_file={}", key.display()),
            "-c",
            &format!("ssl_ca_file={}", authority.display()),
        ])
    }

    /// Where it listens: the user and the database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Another database of it.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its database files are. `postgresql.conf` and `pg_hba.conf` are read at each start.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(self.log_path())
            .map_or_else(|e| e.to_string(), |text| String::from_utf8_lossy(&text).into_owned())
    }

    /// Stops all its processes from answering, with their connections open (`SIGSTOP`).
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn pause(&self) {
        let guard = self.running();
        // First the one that starts the others.
        guard.pause();
        tree::signal_children(guard.pid(), Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn resume(&self) {
        let guard = self.running();
        tree::signal_children(guard.pid(), Signal::CONT);
        guard.resume();
    }

    /// Ends it in order: connections are closed, and everything is written to its place ("fast" shutdown).
    ///
    /// # Panics
    ///
    /// If it is not running, or does not end.
    pub fn stop(&mut self) {
        self.resume();
        let mut guard = self.guard.take().unwrap_or_else(|| not_running());
        guard.signal(Signal::INT);
        assert!(
            wait_until(START, || !guard.is_running()),
            "postgres does not end; its log:\n{}",
            self.log()
        );
    }

    /// Ends it at once, as a crash would: it recovers from its log when it is started again ("immediate" shutdown).
    pub fn kill(&mut self) {
        if let Some(guard) = self.guard.take() {
            // Those that are paused would not hear of it.
            tree::signal_children(guard.pid(), Signal::CONT);
        }
    }

    /// Starts it again on the same port with the same files; [kills](Self::kill) it before if it runs.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        assert!(
            self.launch(),
            "postgres does not come up again; its log:\n{}",
            self.log()
        );
    }

    /// Runs statements with `psql` and gives what it prints: a line for each row, columns separated by `|`.
    ///
    /// # Panics
    ///
    /// If there is no `psql`, or a statement fails.
    #[must_use]
    pub fn command(&self, sql: &str) -> String {
        let mut command = self.programs.command("psql", self.directory.path());
        self.run(
            command
                .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
                .args(["--set", "ON_ERROR_STOP=1", "--dbname", &self.url(), "--command", sql]),
        )
    }

    /// What `pg_dump` writes about a database: everything that is stored in it, as text.
    ///
    /// # Panics
    ///
    /// If there is no `pg_dump`, or it fails.
    #[must_use]
    pub fn dump(&self, database: &str) -> String {
        let mut command = self.programs.command("pg_dump", self.directory.path());
        self.run(command.args(["--dbname", &self.url_of(database)]))
    }

    /// Makes a database of what [`dump`](Self::dump) has written.
    ///
    /// # Panics
    ///
    /// If there is no `psql`, the database exists already, or a statement fails.
    pub fn restore(&self, database: &str, dump: &str) {
        let _ = self.command(&format!("CREATE DATABASE {database}"));
        self.load(database, dump);
    }

    /// Runs what [`dump`](Self::dump) has written in a database that has none of it.
    ///
    /// # Panics
    ///
    /// If there is no `psql`, or a statement fails.
    pub fn load(&self, database: &str, dump: &str) {
        let file = self.directory.path().join(format!("{database}.sql"));
        std::fs::write(&file, dump).unwrap_or_else(|e| panic!("no file for the copy: {e}"));
        self.programs.give(&file);
        let mut command = self.programs.command("psql", self.directory.path());
        self.run(
            command
                .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname"])
                .arg(self.url_of(database))
                .arg("--file")
                .arg(file),
        );
    }

    fn initialise(&self) {
        let mut command = self.programs.command("initdb", self.directory.path());
        self.run(
            command
                .arg("--pgdata")
                .arg(self.data())
                .args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8"])
                .args(["--no-locale", "--no-sync"]),
        );
    }

    fn run(&self, command: &mut Command) -> String {
        let name = command.get_program().to_owned();
        let done = command.stdin(Stdio::null()).output();
        let done = done.unwrap_or_else(|e| panic!("cannot start {}: {e}", name.display()));
        assert!(
            done.status.success(),
            "{} in {}: {}",
            name.display(),
            self.directory.path().display(),
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    }

    fn running(&self) -> &Guard {
        self.guard.as_ref().unwrap_or_else(|| not_running())
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn launch(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.unwrap_or_else(|e| panic!("no log file: {e}"));
        let mut command = self.programs.command("postgres", self.directory.path());
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            // Within the data directory, so that nothing is left behind.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
            .args(&self.arguments)
            .stderr(log.try_clone().unwrap_or_else(|e| panic!("no log file: {e}")))
            .stdout(log);
        let mut guard = Guard::spawn_to_end_by(&mut command, Signal::QUIT);
        let state = self.data().join("postmaster.pid");
        let mut up = false;
        wait_until(START, || {
            up = is_ready(&state, guard.pid());
            up || !guard.is_running()
        });
        self.guard = up.then_some(guard);
        up
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the server says of itself, as `pg_ctl` reads it: its process id in the first line, its state in the eighth.
fn is_ready(file: &Path, pid: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else {
        return false;
    };
    let mut lines = text.lines();
    lines.next() == Some(&*pid.to_string()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn not_running() -> ! {
    panic!("postgres is not running")
}
