//! Refresh round trips over TCP: several keep-alive connections, each renewing a session of its own.
//!
//! ```text
//! cargo bench -p transak-sandbox
//! ```
//!
//! The load generator runs in the same process and writes its requests by hand, so that it takes as little of the
//! machine as it can; what is reported is still the sum of both.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use transak_client::operations::{Credential, REFRESH_USER_ACCESS_TOKEN};
use transak_sandbox::Sandbox;

const CONNECTIONS: [usize; 2] = [1, 16];

/// One user's connection and present token.
struct Caller {
    stream: TcpStream,
    head: String,
    token: String,
    answer: Vec<u8>,
}

impl Caller {
    async fn new(sandbox: &Sandbox, number: usize) -> Self {
        let credentials = sandbox.credentials();
        let key = credentials.get(Credential::ApiKey).expect("a key").expose().to_owned();
        let email = format!("user-{number}@example.com");
        let client = transak_client::Client::builder()
            .environment(sandbox.environment())
            .credentials(credentials)
            .build()
            .expect("a client");
        let login = client
            .send_user_otp()
            .body_map(|b| b.api_key(&key).email(email.as_str()));
        let state = login.send().await.expect("a mail").data.state_token.expose().to_owned();
        let code = sandbox.control().latest_code(&email).expect("a code");
        let verify = client.verify_user_otp().body_map(|b| {
            b.api_key(&key)
                .email(email.as_str())
                .otp(code.as_str())
                .state_token(state.as_str())
        });
        let token = verify
            .send()
            .await
            .expect("a login")
            .data
            .access_token
            .expose()
            .to_owned();

        let operation = &REFRESH_USER_ACCESS_TOKEN;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: sandbox\r\n",
            operation.method(),
            operation.path()
        );
        for header in operation.alternatives()[0].headers() {
            match header.credential() {
                // Changes with every round and goes last.
                Credential::UserToken => continue,
                other => {
                    let value = client.credentials().get(other).expect("a credential");
                    head += &format!("{}: {}\r\n", header.name(), value.expose());
                }
            }
        }
        let address = sandbox.gateway_url().replace("http://", "");
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        Self {
            stream,
            head,
            token,
            answer: vec![0; 16 * 1024],
        }
    }

    /// Trades the token for the next one.
    async fn refresh(&mut self) {
        let request = format!("{}authorization: {}\r\n\r\n", self.head, self.token);
        self.stream.write_all(request.as_bytes()).await.expect("a request");
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.answer[filled..]).await.expect("an answer");
            assert!(read > 0, "the sandbox hung up");
            filled += read;
            let text = std::str::from_utf8(&self.answer[..filled]).expect("text");
            // The one member of this answer; its end is the end of the answer.
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && body.ends_with("\"}}")
            {
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                let (_, token) = body.split_once("\"accessToken\":\"").expect("a token");
                token.trim_end_matches("\"}}").clone_into(&mut self.token);
                return;
            }
        }
    }
}

/// Time that `rounds` refreshes take, shared out among the callers.
async fn measured(callers: Vec<Caller>, rounds: u64) -> (Duration, Vec<Caller>) {
    let share = rounds.div_ceil(callers.len() as u64);
    let begun = Instant::now();
    let tasks: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            tokio::spawn(async move {
                for _ in 0..share {
                    caller.refresh().await;
                }
                caller
            })
        })
        .collect();
    let mut callers = Vec::with_capacity(tasks.len());
    for task in tasks {
        callers.push(task.await.expect("no caller fails"));
    }
    let done = share * callers.len() as u64;
    // Shares are rounded up; what is reported is for as many rounds as were asked for.
    let took = begun.elapsed().mul_f64(rounds as f64 / done as f64);
    (took, callers)
}

fn refreshes(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("refresh");
    group.throughput(Throughput::Elements(1));
    for strict in [true, false] {
        let name = if strict { "checked" } else { "unchecked" };
        for connections in CONNECTIONS {
            let sandbox =
                runtime.block_on(async { Sandbox::builder().strict(strict).start().await.expect("a sandbox") });
            let mut callers = Some(runtime.block_on(async {
                let mut callers = Vec::new();
                for number in 0..connections {
                    callers.push(Caller::new(&sandbox, number).await);
                }
                callers
            }));
            group.bench_function(BenchmarkId::new(name, connections), |bencher| {
                bencher.iter_custom(|rounds| {
                    let (took, again) = runtime.block_on(measured(callers.take().expect("callers"), rounds));
                    callers = Some(again);
                    took
                });
            });
            runtime.block_on(sandbox.shutdown());
        }
    }
    group.finish();
}

criterion_group!(benches, refreshes);
criterion_main!(benches);
