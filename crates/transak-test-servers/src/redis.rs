//! Redis, or what speaks like it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Certificates, Guard, free_port, program, wait_until};

/// Names a server that runs already.
pub const URL_VARIABLE: &str = "TRANSAK_TEST_REDIS_URL";

const START: Duration = Duration::from_secs(30);

/// The settings that keep sessions: each write on the disk before its answer, nothing evicted.
const SAFE: [&str; 8] = [
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--maxmemory-policy",
    "noeviction",
    "--save",
    "",
];

/// A server to talk to.
#[derive(Debug)]
pub struct Endpoint {
    /// Its URL, `redis://…`.
    pub url: String,
    _server: Option<RedisServer>,
}

/// The server that [`URL_VARIABLE`] names, else a new one. Do not flush or stop it.
///
/// # Panics
///
/// As [`RedisServer::start`].
#[must_use]
pub fn endpoint() -> Endpoint {
    match std::env::var(URL_VARIABLE) {
        Ok(url) if !url.is_empty() => Endpoint { url, _server: None },
        _ => {
            let server = RedisServer::start();
            Endpoint {
                url: server.url(),
                _server: Some(server),
            }
        }
    }
}

/// A server of our own, for as long as this lives.
#[derive(Debug)]
pub struct RedisServer {
    guard: Option<Guard>,
    port: u16,
    extra: Vec<String>,
    directory: TempDir,
}

impl RedisServer {
    /// Starts a server that keeps what it has acknowledged (append-only file, a flush for each write) and evicts nothing.
    ///
    /// # Panics
    ///
    /// If there is no `redis-server`, or it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more arguments; they win over those of [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with(extra: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary directory: {e}"));
        let mut server = Self {
            guard: None,
            port: 0,
            extra: extra.iter().map(|&text| text.to_owned()).collect(),
            directory,
        };
        // Somebody else may have taken the port meanwhile.
        for _ in 0..3 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server does not come up; its log:\n{}", server.log());
    }

    /// Starts a server that also listens for TLS, on a second port, and wants to see a client's certificate there.
    /// Returns that port.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start); also if it was built without TLS.
    #[must_use]
    pub fn start_with_tls(certificates: &Certificates) -> (Self, u16) {
        let path = |name| certificates.path(name).display().to_string();
        for _ in 0..3 {
            let port = free_port();
            let server = Self::start_with(&[
                "--tls-port",
                &port.to_string(),
                "--tls-cert-file",
                &path("server.pem"),
                "--tls-key-file",
                &path("server.key"),
                "--tls-ca-cert-file",
                &path("ca.pem"),
                "--tls-auth-clients",
                "yes",
            ]);
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return (server, port);
            }
        }
        panic!("redis-server does not listen for TLS");
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(self.log_path())
            .map_or_else(|e| e.to_string(), |text| String::from_utf8_lossy(&text).into_owned())
    }

    /// Stops it from answering, with its connections open (`SIGSTOP`).
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn resume(&self) {
        self.running().resume();
    }

    /// Ends it without warning (`SIGKILL`).
    pub fn kill(&mut self) {
        self.guard = None;
    }

    /// Starts it again on the same port with the same files.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        assert!(
            self.launch(),
            "redis-server does not come up again; its log:\n{}",
            self.log()
        );
    }

    /// Sends one inline command, as `redis-cli` would, and gives the start of the answer.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    #[must_use]
    pub fn command(&self, line: &str) -> String {
        ask(self.port, line, Duration::from_secs(10)).unwrap_or_else(|e| panic!("redis-server does not answer: {e}"))
    }

    fn running(&self) -> &Guard {
        self.guard
            .as_ref()
            .unwrap_or_else(|| panic!("redis-server is not running"))
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn launch(&mut self) -> bool {
        let redis = program(
            "redis-server",
            "TRANSAK_TEST_REDIS_SERVER",
            &["/usr/lib/redis"],
            "redis-server",
        );
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.unwrap_or_else(|e| panic!("no log file: {e}"));
        let mut command = Command::new(redis);
        command
            .current_dir(self.directory.path())
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir", "."])
            .args(SAFE)
            .args(&self.extra)
            .stderr(log.try_clone().unwrap_or_else(|e| panic!("no log file: {e}")))
            .stdout(log);
        let mut guard = Guard::spawn(&mut command);
        let port = self.port;
        let mut up = false;
        wait_until(START, || {
            // A password or a cluster that is not whole is an answer too; only one that still reads its files says LOADING.
            let said = ask(port, "PING", Duration::from_millis(500)).unwrap_or_default();
            up = !said.is_empty() && !said.contains("LOADING");
            up || !guard.is_running()
        });
        // Another server on this port would answer as well, while ours has ended or is about to.
        up = up
            && guard.is_running()
            && std::fs::read_to_string(self.log_path()).is_ok_and(|log| !log.contains("bind: "));
        self.guard = up.then_some(guard);
        up
    }
}

/// Three primaries without replicas, each with a third of the slots.
#[derive(Debug)]
pub struct RedisCluster {
    /// The nodes.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one and waits until it is whole.
    ///
    /// # Panics
    ///
    /// As [`RedisServer::start`]; also if the nodes do not find each other.
    #[must_use]
    pub fn start() -> Self {
        const SLOTS: [&str; 3] = ["0 5460", "5461 10922", "10923 16383"];
        let nodes: Vec<(RedisServer, u16)> = SLOTS
            .iter()
            .map(|_| {
                let bus = free_port();
                let extra = [
                    "--cluster-enabled",
                    "yes",
                    "--cluster-node-timeout",
                    "2000",
                    "--cluster-port",
                ];
                let bus_text = bus.to_string();
                let extra: Vec<&str> = extra.into_iter().chain([bus_text.as_str()]).collect();
                (RedisServer::start_with(&extra), bus)
            })
            .collect();
        for ((node, _), slots) in nodes.iter().zip(SLOTS) {
            expect_ok(&node.command(&format!("CLUSTER ADDSLOTSRANGE {slots}")));
        }
        for (node, _) in &nodes {
            for (other, bus) in &nodes {
                expect_ok(&node.command(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port())));
            }
        }
        let cluster = Self {
            nodes: nodes.into_iter().map(|(node, _)| node).collect(),
        };
        assert!(
            wait_until(START, || cluster.is_whole()),
            "the nodes do not become a cluster; the log of one:\n{}",
            cluster.nodes[0].log()
        );
        cluster
    }

    /// Where each node listens.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// Whether all nodes see all others and all slots.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.nodes.iter().all(|node| {
            let told = node.command("CLUSTER INFO");
            told.contains("cluster_state:ok") && told.contains("cluster_known_nodes:3")
        })
    }
}

fn expect_ok(answer: &str) {
    assert!(answer.starts_with("+OK"), "redis-server: {answer}");
}

fn ask(port: u16, line: &str, limit: Duration) -> std::io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut answer = [0; 4_096];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
