//! The hand-written upload, against a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transak_client::error::{InvalidRequestKind, TransportPhase};
use transak_client::operations::Credential;
use transak_client::upload::{ProofFile, ProofFileKind};
use transak_client::{Client, Environment, Error};

const ANSWER: &str = r#"{"data":{"partnerUserId":"u-1","docId":"PAYSLIP","originalFileName":"a.pdf"}}"#;

async fn listen() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::builder()
        .environment(Environment::custom(&url, &url).unwrap())
        .credential(Credential::ApiKey, "key")
        .credential(Credential::UserIp, "203.0.113.7")
        .credential(Credential::UserToken, "token")
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    (listener, client)
}

/// The head of a request in small letters, and what has come of its body.
async fn head(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut seen = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = socket.read(&mut buffer).await.unwrap();
        assert!(count > 0, "no head");
        seen.extend_from_slice(&buffer[..count]);
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = seen.split_off(end + 4);
            return (String::from_utf8(seen).unwrap().to_lowercase(), rest);
        }
    }
}

fn announced(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.expect("a length").parse().unwrap()
}

async fn body(socket: &mut TcpStream, head: &str, mut body: Vec<u8>) -> Vec<u8> {
    let length = announced(head);
    while body.len() < length {
        let mut buffer = vec![0; 65_536];
        let count = socket.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the body ends early");
        body.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(body.len(), length);
    body
}

async fn answer(socket: &mut TcpStream, status: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ntrace-id: t-1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(text.as_bytes()).await.unwrap();
}

/// What stands between the head of the part `file` and the end of the form.
fn file_of<'b>(head: &str, body: &'b [u8]) -> (String, &'b [u8]) {
    let (_, boundary) = head.split_once("multipart/form-data; boundary=").expect("a form");
    let boundary = boundary.lines().next().unwrap();
    let text = String::from_utf8_lossy(body).to_lowercase();
    let tail = format!("\r\n--{boundary}--\r\n");
    assert!(text.ends_with(&tail), "the form is closed");
    let start = body
        .windows(4)
        .enumerate()
        .filter(|(_, four)| *four == b"\r\n\r\n")
        .nth(1);
    let start = start.expect("two parts").0 + 4;
    (
        String::from_utf8_lossy(&body[..start]).into_owned(),
        &body[start..body.len() - tail.len()],
    )
}

#[tokio::test]
async fn every_byte_arrives_with_its_length_told_beforehand() {
    let (listener, client) = listen().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let sent = bytes.clone();
    let server = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (head, rest) = head(&mut socket).await;
            let body = body(&mut socket, &head, rest).await;
            answer(&mut socket, "200 OK", ANSWER).await;
            assert!(head.starts_with("post /api/v2/kyc/upload http/1.1"), "{head}");
            assert!(
                head.contains("authorization: token") && head.contains("x-trace-id: "),
                "{head}"
            );
            assert!(!head.contains("transfer-encoding"), "{head}");
            let (parts, file) = file_of(&head, &body);
            assert!(
                parts.contains("form-data; name=\"docId\"\r\n\r\nPAYSLIP\r\n"),
                "{parts}"
            );
            assert!(parts.contains("name=\"file\"; filename=\"a.pdf\""), "{parts}");
            assert!(
                parts.to_lowercase().contains("content-type: application/pdf"),
                "{parts}"
            );
            assert_eq!(file, sent);
        }
    });
    let length = bytes.len() as u64;
    let pieces: Vec<io::Result<Bytes>> = bytes.chunks(7_001).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    for file in [
        ProofFile::from_bytes(ProofFileKind::Pdf, "/home/jane/a.pdf", bytes.clone()),
        ProofFile::from_reader(ProofFileKind::Pdf, "a.pdf", length, io::Cursor::new(bytes)),
        ProofFile::from_stream(
            ProofFileKind::Pdf,
            "C:\\a.pdf",
            length,
            futures_util::stream::iter(pieces),
        ),
    ] {
        // One connection per call, as the server wants it.
        let stored = client
            .upload_proof_document()
            .doc_id("PAYSLIP")
            .file(file)
            .send()
            .await
            .unwrap();
        assert_eq!(stored.data.doc_id, "PAYSLIP");
    }
    server.await.unwrap();
}

#[tokio::test]
async fn the_file_is_sent_while_it_is_read() {
    let (listener, client) = listen().await;
    let (mut writer, reader) = tokio::io::duplex(1024);
    let file = ProofFile::from_reader(ProofFileKind::Png, "p.png", 2048, reader);
    let call = tokio::spawn(async move {
        let request = client.upload_proof_document().doc_id("PAYSLIP").file(file);
        request.timeout(Duration::from_secs(15)).send().await.map(|_| ())
    });
    writer.write_all(&[b'a'; 1024]).await.unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    let (head, mut seen) = head(&mut socket).await;
    // The first half is here although the second does not exist yet.
    while seen.iter().filter(|byte| **byte == b'a').count() < 1024 {
        let mut buffer = [0; 4096];
        let count = socket.read(&mut buffer).await.unwrap();
        seen.extend_from_slice(&buffer[..count]);
    }
    assert!(seen.len() < announced(&head));
    writer.write_all(&[b'b'; 1024]).await.unwrap();
    drop(writer);
    let body = body(&mut socket, &head, seen).await;
    answer(&mut socket, "200 OK", ANSWER).await;
    assert_eq!(file_of(&head, &body).1.len(), 2048);
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_as_announced_is_cut_short_and_said_so() {
    let broken = || io::Error::new(io::ErrorKind::PermissionDenied, "secret path");
    type Pieces = Vec<io::Result<Bytes>>;
    let cases: Vec<(Pieces, &str)> = vec![
        (
            vec![Ok(Bytes::from_static(b"12345"))],
            "ended 5 bytes before the announced length of 10",
        ),
        (
            vec![Ok(Bytes::from_static(b"12345678901"))],
            "longer than the announced 10 bytes",
        ),
        (
            vec![Ok(Bytes::from_static(b"1234567890")), Ok(Bytes::from_static(b"1"))],
            "longer than the announced 10 bytes",
        ),
        (
            vec![Ok(Bytes::from_static(b"12345")), Err(broken())],
            "could not be read: permission denied",
        ),
    ];
    for (pieces, told) in cases {
        let (listener, client) = listen().await;
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            // Ends, or breaks, when the client gives up.
            let _ = socket.read_to_end(&mut seen).await;
            seen
        });
        let file = ProofFile::from_stream(ProofFileKind::Jpeg, "p.jpg", 10, futures_util::stream::iter(pieces));
        let error = client
            .upload_proof_document()
            .doc_id("PAYSLIP")
            .file(file)
            .send()
            .await
            .unwrap_err();
        let Error::Transport(transport) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(transport.phase(), TransportPhase::Upload, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
        assert!(!error.is_retryable());
        let seen = server.await.unwrap();
        assert!(!seen.ends_with(b"--\r\n"), "no whole form arrives");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let (listener, client) = listen().await;
    let pdf = |name: &str, bytes: &'static [u8]| ProofFile::from_bytes(ProofFileKind::Pdf, name, bytes);
    let upload = || client.upload_proof_document();
    let long = "a".repeat(256);
    for (request, kind, parameter) in [
        (upload().file(pdf("a.pdf", b"x")), InvalidRequestKind::Missing, "doc_id"),
        (
            upload().doc_id("").file(pdf("a.pdf", b"x")),
            InvalidRequestKind::Missing,
            "doc_id",
        ),
        (upload().doc_id("PAYSLIP"), InvalidRequestKind::Missing, "file"),
        (
            upload().doc_id("PAYSLIP").file(pdf("a.pdf", b"")),
            InvalidRequestKind::Refused,
            "file",
        ),
        (
            upload().doc_id("PAYSLIP").file(pdf("", b"x")),
            InvalidRequestKind::Refused,
            "file",
        ),
        (
            upload().doc_id("PAYSLIP").file(pdf("a/", b"x")),
            InvalidRequestKind::Refused,
            "file",
        ),
        (
            upload().doc_id("PAYSLIP").file(pdf(&long, b"x")),
            InvalidRequestKind::Refused,
            "file",
        ),
        (
            upload().doc_id("PAYSLIP").file(pdf("a\r\nb", b"x")),
            InvalidRequestKind::Refused,
            "file",
        ),
        (
            upload().doc_id("PAYSLIP").file(pdf("a.pdf", b"12345")).max_bytes(4),
            InvalidRequestKind::Refused,
            "file",
        ),
    ] {
        let printed = format!("{request:?}");
        assert!(!printed.contains("a.pdf"), "{printed}");
        let error = request.send().await.unwrap_err();
        let Error::InvalidRequest(error) = &error else {
            panic!("{error:?}")
        };
        assert_eq!((error.kind(), error.parameter()), (kind, Some(parameter)), "{error}");
    }
    let without = client.without_credential(Credential::ApiKey);
    let request = without
        .upload_proof_document()
        .doc_id("PAYSLIP")
        .file(pdf("a.pdf", b"x"));
    assert!(matches!(request.send().await, Err(Error::MissingCredential(_))));
    let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_refusal_of_the_api_is_the_error_of_every_call() {
    let (listener, client) = listen().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (head, rest) = head(&mut socket).await;
        body(&mut socket, &head, rest).await;
        let text = r#"{"error":{"statusCode":401,"message":"no","errorCode":1002}}"#;
        answer(&mut socket, "401 Unauthorized", text).await;
    });
    let file = ProofFile::from_bytes(ProofFileKind::Webp, "ü\".webp", vec![1; 10]);
    let error = client
        .upload_proof_document()
        .doc_id("PAYSLIP")
        .file(file)
        .send()
        .await
        .unwrap_err();
    assert!(error.is_unauthorized() && error.error_code().is_some(), "{error}");
    assert_eq!(
        (error.operation(), error.trace_id()),
        (Some("uploadProofDocument"), Some("t-1"))
    );
    server.await.unwrap();
}

#[test]
fn kinds_are_known_by_the_ending_of_a_name() {
    assert_eq!(ProofFileKind::of_name("a.b.PDF"), Some(ProofFileKind::Pdf));
    assert_eq!(ProofFileKind::of_name("a.jpeg"), Some(ProofFileKind::Jpeg));
    for none in ["pdf", "a.exe", "a.", ""] {
        assert_eq!(ProofFileKind::of_name(none), None, "{none}");
    }
    for kind in ProofFileKind::ALL {
        assert!(kind.content_type().contains('/'));
    }
}
