//! What both overhead benches share: a server on the loopback interface, the call that somebody would write by hand,
//! and a comparison of two kinds of call in pairs.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use transak_client::operations::{Credential, GET_USER_DETAILS};
use transak_client::types::GetUserDetailsResponse;
use transak_client::{Client, Environment, reqwest};

/// What the server answers to Get User Details: the size and the shape of an approved user.
pub const USER: &str = r#"{"data":{"partnerUserId":"8a6d0b1f-52c3-4e7a-b9d4-6f1e2c3a4b5d","firstName":"Camille","lastName":"Exemple","email":"user@example.com","mobileNumber":"+33100000000","status":"ACTIVE","dob":"1991-03-14T00:00:00.000Z","kyc":{"status":"APPROVED","type":"STANDARD"},"address":{"addressLine1":"1 rue de l'Exemple","addressLine2":"Bat. B","state":"Rhone","city":"Lyon","postCode":"69000","country":"France","countryCode":"FR"}}}"#;

pub const API_KEY: &str = "3f1c9a52-7d84-4b1e-9c60-2a5d8e7f4b31";
pub const USER_IP: &str = "203.0.113.7";

/// As long as the tokens of the documentation.
pub fn token() -> String {
    let claims = "eyJpYXQiOjE3NjQwMDAwMDAsImV4cCI6NDkyMDAwMDAwMCwianRpIjoiYmVuY2gifQ";
    format!("eyJhbGciOiJIUzI1NiJ9.{claims}.{}", "s".repeat(43))
}

/// Starts an HTTP/1.1 server on a thread of its own, which ends with the process.
pub fn serve() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket option");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("a socket option");
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(answer));
                // An error here is a client that has gone.
                tokio::spawn(async { connection.await.ok() });
            }
        });
    });
    address
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/api/v2/user/" => Bytes::from_static(USER.as_bytes()),
        "/api/v2/auth/login" => Bytes::from_static(
            br#"{"data":{"isTncAccepted":true,"stateToken":"5e8c1f70a94b4d2c9be3d6127f0a8845","email":"user@example.com","expiresIn":600}}"#,
        ),
        "/api/v2/auth/verify" => Bytes::from(format!(
            r#"{{"data":{{"accessToken":"{}","ttl":2592000,"created":"2026-01-01T00:00:00.000Z"}}}}"#,
            token()
        )),
        other => panic!("nobody calls {other} here"),
    };
    let response = Response::builder()
        .header("content-type", "application/json; charset=utf-8")
        .header("trace-id", "4bf92f3577b34da6a3ce929d0e0e4736")
        .body(Full::new(body));
    Ok(response.expect("a response"))
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The generated client, with everything that Get User Details asks for but the user's token.
pub fn client(server: SocketAddr) -> Client {
    Client::builder()
        .environment(Environment::single(&format!("http://{server}")).expect("a base URL"))
        .credential(Credential::ApiKey, API_KEY)
        .credential(Credential::UserIp, USER_IP)
        .build()
        .expect("a client")
}

/// The call as one writes it by hand: the same settings of the HTTP client, the same request but for the trace id, which
/// nobody would think of, and the same type for the answer.
#[derive(Debug)]
pub struct ByHand {
    http: reqwest::Client,
    base_url: String,
    token: String,
}

impl ByHand {
    pub fn new(server: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .user_agent("by-hand/1.0 (Rust)")
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        Self {
            http,
            base_url: format!("http://{server}"),
            token: token(),
        }
    }

    pub async fn call(&self) -> Result<GetUserDetailsResponse, reqwest::Error> {
        self.http
            .get(format!("{}{}", self.base_url, GET_USER_DETAILS.path()))
            .query(&[("apiKey", API_KEY)])
            .header("accept", "application/json")
            .header("authorization", &self.token)
            .header("x-api-key", API_KEY)
            .header("x-user-ip", USER_IP)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

/// Measures `ours` against `by_hand`, turn by turn in one run, so that whatever else the machine does meets both.
/// Criterion is told what `ours` took; the ratio is printed below its figures.
pub fn compare<A, B, T, U>(
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    mut by_hand: impl FnMut() -> A,
    mut ours: impl FnMut() -> B,
) where
    A: Future<Output = T>,
    B: Future<Output = U>,
{
    let mut pairs: Vec<(Duration, Duration)> = Vec::new();
    let mut group = criterion.benchmark_group("overhead");
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let begun = pairs.len();
            runtime.block_on(async {
                for round in 0..rounds {
                    // Whoever goes second finds warmer caches.
                    pairs.push(if round % 2 == 0 {
                        let first = timed(by_hand()).await;
                        (first, timed(ours()).await)
                    } else {
                        let first = timed(ours()).await;
                        (timed(by_hand()).await, first)
                    });
                }
            });
            pairs.iter().skip(begun).map(|(_, ours)| *ours).sum()
        });
    });
    group.finish();
    report(name, &pairs);
}

async fn timed<T>(call: impl Future<Output = T>) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(call.await);
    begun.elapsed()
}

fn report(name: &str, pairs: &[(Duration, Duration)]) {
    if pairs.is_empty() {
        return;
    }
    let micros = |span: &Duration| span.as_secs_f64() * 1e6;
    let by_hand = Spread::of(pairs.iter().map(|(by_hand, _)| micros(by_hand)));
    let ours = Spread::of(pairs.iter().map(|(_, ours)| micros(ours)));
    let ratio = Spread::of(pairs.iter().map(|(by_hand, ours)| micros(ours) / micros(by_hand)));
    println!(
        "{name}: {} pairs; by hand {by_hand} µs, {name} {ours} µs; \
         ratio of medians {:.3}, of lower quartiles {:.3}; ratios of pairs {ratio}\n",
        pairs.len(),
        ours.median / by_hand.median,
        ours.lower / by_hand.lower,
    );
}

/// Median and quartiles.
struct Spread {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
        Self {
            lower: at(1),
            median: at(2),
            upper: at(3),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = if self.median < 10.0 { 3 } else { 1 };
        write!(
            f,
            "{:.decimals$} ({:.decimals$} to {:.decimals$})",
            self.median, self.lower, self.upper
        )
    }
}
