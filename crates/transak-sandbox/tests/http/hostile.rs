//! Bad input: it neither kills the sandbox nor keeps others from being served.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use transak_sandbox::{Limits, Sandbox};

use crate::common::{Answer, client, http, key};

async fn hardened() -> Sandbox {
    let mut limits = Limits::default();
    limits.head_timeout = Duration::from_millis(700);
    limits.body_timeout = Duration::from_millis(700);
    Sandbox::builder().limits(limits).start().await.unwrap()
}

fn addresses(sandbox: &Sandbox) -> Vec<String> {
    let urls = [sandbox.api_url(), sandbox.gateway_url(), sandbox.control_url()];
    urls.iter()
        .map(|url| url.strip_prefix("http://").unwrap().to_owned())
        .collect()
}

async fn still_alive(sandbox: &Sandbox) {
    client(sandbox)
        .get_countries()
        .send()
        .await
        .expect("the sandbox still answers");
    let health = http()
        .get(format!("{}/health", sandbox.control_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
}

/// Sends bytes and reads until the other side closes or two seconds are over.
async fn exchange(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A small generator of our own, so that a failure can be repeated.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.next() >> 56).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_are_survived() {
    let sandbox = hardened().await;
    let seed = 0x5eed_0001;
    println!("seed {seed:#x}");
    let mut noise = Noise(seed);
    let valid = b"POST /api/v2/auth/login HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nx-user-ip: ::1\r\n\
        content-type: application/json\r\ncontent-length: 13\r\n\r\n{\"apiKey\":1}\n";
    for round in 0..300_usize {
        let bytes = if round % 3 == 0 {
            let length = usize::try_from(noise.next() % 4096).unwrap();
            noise.bytes(length)
        } else {
            // A good request with some of its bytes changed.
            let mut bytes = valid.to_vec();
            for _ in 0..=noise.next() % 8 {
                let at = usize::try_from(noise.next()).unwrap() % bytes.len();
                bytes[at] = u8::try_from(noise.next() >> 56).unwrap();
            }
            bytes
        };
        let answer = exchange(&addresses(&sandbox)[round % 3], &bytes).await;
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer} to {bytes:?}");
    }
    still_alive(&sandbox).await;
}

#[tokio::test]
async fn random_parameters_and_bodies_are_refused_politely() {
    let sandbox = hardened().await;
    let mut noise = Noise(0x5eed_0002);
    let client = http();
    for round in 0..200 {
        let query: String = noise.bytes(40).iter().map(|byte| format!("%{byte:02x}")).collect();
        let url = format!(
            "{}/api/v1/pricing/public/quotes?fiatAmount={query}&{query}={query}",
            sandbox.api_url()
        );
        let answer = Answer::of(client.get(url).header("x-api-key", "k").send().await.unwrap()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let body = noise.bytes(round * 10);
        let request = client.post(format!("{}/api/v2/auth/verify", sandbox.gateway_url()));
        let request = request.header("x-api-key", "k").header("x-user-ip", "::1");
        let request = request.header("content-type", "application/json").body(body);
        assert_eq!(request.send().await.unwrap().status(), 400);
        let path = format!("{}/partners/api/v2/order/{query}", sandbox.api_url());
        let request = client.get(path).header("x-api-key", "k").header("access-token", "t");
        assert!(matches!(
            request.send().await.unwrap().status().as_u16(),
            400 | 401 | 404
        ));
    }
    assert_eq!(sandbox.control().counts().http.violations, 0);
    still_alive(&sandbox).await;
}

#[tokio::test]
async fn huge_heads_and_bodies_are_refused() {
    let sandbox = hardened().await;
    for address in addresses(&sandbox) {
        let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(200_000));
        let answer = exchange(&address, long.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        let header = format!("GET / HTTP/1.1\r\nhost: x\r\nx-big: {}\r\n\r\n", "a".repeat(10_000_000));
        let answer = exchange(&address, header.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        let many = "x-h: v\r\n".repeat(2000);
        let answer = exchange(&address, format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let login = format!("{}/api/v2/auth/login", sandbox.gateway_url());
    let post = |body: reqwest::Body| {
        let request = http()
            .post(&login)
            .header("x-api-key", key(&sandbox))
            .header("x-user-ip", "::1");
        request.header("content-type", "application/json").body(body).send()
    };
    let answer = Answer::of(post(vec![b' '; 10 * 1024 * 1024].into()).await.unwrap()).await;
    assert_eq!((answer.status, answer.code()), (400, Some(9001)), "{answer:?}");
    assert!(answer.message().starts_with("body "), "{answer:?}");
    assert_eq!(answer.headers["connection"], "close");
    // Just within the limit the body is read, and found to be none.
    let answer = Answer::of(post(vec![b' '; 1024 * 1024].into()).await.unwrap()).await;
    assert_eq!(answer.message(), "body is not valid JSON");
    // Chunked, so that nothing announces the size.
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536)).repeat(40);
    let head = "POST /api/v2/auth/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = exchange(&addresses(&sandbox)[1], format!("{head}{chunk}0\r\n\r\n").as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("9001"),
        "{answer}"
    );
    // Asked before anything is sent.
    let head =
        "POST /api/v2/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 10485760\r\nexpect: 100-continue\r\n\r\n";
    let answer = exchange(&addresses(&sandbox)[1], head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    still_alive(&sandbox).await;
}

#[tokio::test]
async fn slow_callers_are_let_go() {
    let sandbox = hardened().await;
    let address = addresses(&sandbox)[1].clone();
    for start in [
        "GET /api/v2/user/ HTTP/1.1\r\n",
        "POST /api/v2/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{",
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let begun = Instant::now();
        let mut answer = Vec::new();
        let slow = async {
            loop {
                tokio::select! {
                    read = stream.read_buf(&mut answer) => match read { Ok(0) | Err(_) => break, Ok(_) => {} },
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
                let _ = stream.write_all(b"a").await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), slow)
            .await
            .expect("the connection is closed");
        assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
    }
    still_alive(&sandbox).await;
}

/// Idle connections at one time.
const IDLE: u64 = 2_000;

/// Memory of this process; zero where the system has no such file, and the bound is not checked there.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_in_nobodys_way_and_are_let_go() {
    // Both ends are in this process.
    let files = rlimit::increase_nofile_limit(IDLE * 2 + 200).unwrap();
    assert!(
        files >= IDLE * 2 + 100,
        "only {files} open files are allowed; raise `ulimit -Hn`"
    );
    let sandbox = hardened().await;
    let address = addresses(&sandbox)[0].clone();
    let before = resident_bytes();
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    still_alive(&sandbox).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 200 * 1024 * 1024, "{IDLE} idle connections take {grown} bytes");
    for stream in &mut idle {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "an idle connection was kept");
    }
    still_alive(&sandbox).await;
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_their_turn() {
    let mut limits = Limits::default();
    limits.max_connections = 4;
    limits.head_timeout = Duration::from_millis(300);
    let sandbox = Sandbox::builder().limits(limits).start().await.unwrap();
    let address = addresses(&sandbox)[0].clone();
    let mut idle = Vec::new();
    for _ in 0..12 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    let health = http()
        .get(format!("{}/health", sandbox.control_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200, "the control port has connections of its own");
    client(&sandbox)
        .get_countries()
        .send()
        .await
        .expect("served once the idle ones are let go");
}

#[tokio::test]
async fn limits_that_mean_no_limit_are_borne() {
    let mut limits = Limits::default();
    limits.max_connections = usize::MAX;
    limits.large_bodies = usize::MAX;
    limits.max_headers = usize::MAX;
    limits.max_head_bytes = usize::MAX;
    limits.max_body_bytes = usize::MAX;
    limits.head_timeout = Duration::MAX;
    limits.body_timeout = Duration::MAX;
    limits.max_connection_age = Duration::MAX;
    let sandbox = Sandbox::builder().limits(limits).start().await.unwrap();
    let many = "a:b\r\n".repeat(40_000);
    let request = format!("GET /api/v2/currencies HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let answer = exchange(&addresses(&sandbox)[0], request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    still_alive(&sandbox).await;
}
