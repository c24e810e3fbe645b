//! A relay between client and target, which sees what really goes over the wire: the typed client keeps no copy of
//! the text it decoded, and refuses to send what a test wants to see refused.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use transak_client::Environment;
use transak_client::operations::Host;

/// One request and its answer. Has no `Debug`: on staging these are real secrets.
#[derive(Clone, Default)]
#[allow(missing_debug_implementations)]
pub struct Exchange {
    /// Names of the headers that reached the target.
    pub headers: Vec<String>,
    /// HTTP status.
    pub status: u16,
    /// The answer's body as it was sent.
    pub body: String,
}

/// What is done to the headers on the way.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub enum Tamper {
    /// Takes one away.
    Drop(&'static str),
    /// Adds one.
    Add(&'static str, String),
}

#[derive(Default)]
struct State {
    last: Option<Exchange>,
    tamper: Option<Tamper>,
}

/// A running relay. It lives as long as the runtime.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub struct Relay {
    state: Arc<Mutex<State>>,
    environment: Environment,
}

impl Relay {
    /// Listens on a port for each host of the target.
    ///
    /// # Panics
    /// When there are no ports to be had.
    pub async fn to(target: &Environment) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut urls = Vec::new();
        for host in [Host::Api, Host::Gateway] {
            let base = target.base_url(host).expect("a base URL").to_owned();
            let mut http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
            if base.starts_with("http:") {
                http = http.no_proxy();
            }
            let http = http.build().expect("an HTTP client");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            urls.push(format!("http://{}", listener.local_addr().expect("an address")));
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let pass = pass_on(stream, base.clone(), http.clone(), Arc::clone(&state));
                    tokio::spawn(pass);
                }
            });
        }
        let environment = Environment::custom(&urls[0], &urls[1]).expect("loopback addresses");
        Self { state, environment }
    }

    /// Where a client finds the relay.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// The next request is changed on its way.
    pub fn tamper(&self, tamper: Tamper) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tamper = Some(tamper);
    }

    /// The last exchange, once; `None` when nothing was sent since.
    #[must_use]
    pub fn take(&self) -> Option<Exchange> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).last.take()
    }
}

/// One request of one connection; the client is told to open another one for its next.
async fn pass_on(mut client: TcpStream, base: String, http: reqwest::Client, state: Arc<Mutex<State>>) {
    let Some((head, body)) = request(&mut client).await else {
        return;
    };
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .filter(|(name, _)| !matches!(name.as_str(), "host" | "connection" | "content-length"))
        .collect();
    match state.lock().unwrap_or_else(PoisonError::into_inner).tamper.take() {
        Some(Tamper::Drop(name)) => headers.retain(|(n, _)| n != name),
        Some(Tamper::Add(name, value)) => headers.push((name.to_owned(), value)),
        None => {}
    }
    let mut upstream = http.request(method.parse().unwrap_or_default(), format!("{base}{path}"));
    for (name, value) in &headers {
        upstream = upstream.header(name, value);
    }
    if !body.is_empty() {
        upstream = upstream.body(body);
    }
    // Without an answer the client sees the connection end, as it would without the relay.
    let Ok(answer) = upstream.send().await else { return };
    let status = answer.status().as_u16();
    let mut text = format!("HTTP/1.1 {status} relayed\r\nconnection: close\r\n");
    for (name, value) in answer.headers() {
        if !matches!(name.as_str(), "connection" | "transfer-encoding" | "content-length") {
            text += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    let Ok(body) = answer.text().await else { return };
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let headers = headers.into_iter().map(|(name, _)| name).collect();
    state.lock().unwrap_or_else(PoisonError::into_inner).last = Some(Exchange { headers, status, body });
    let _ = client.write_all(text.as_bytes()).await;
}

/// Head and body of a request. Its length is declared: the client sends nothing in pieces.
async fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let length = head.to_ascii_lowercase().split("\r\n").find_map(|line| {
                let length = line.strip_prefix("content-length:")?;
                length.trim().parse::<usize>().ok()
            });
            let wanted = end + 4 + length.unwrap_or_default();
            if bytes.len() >= wanted {
                return Some((head, bytes[end + 4..wanted].to_vec()));
            }
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
