//! A watch over everything that is logged, at every level and by every crate, in each test that has a scene.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{EMAIL, IP, OTP};

static LINES: AtomicUsize = AtomicUsize::new(0);

/// The planted text that this shows, in any spelling in which `Debug` might show it.
pub fn leaked(text: &str) -> Option<&'static str> {
    let planted = [
        "planted",
        "PLANTED",
        OTP,
        IP,
        "203, 0, 113",
        EMAIL,
        "example.com",
        "eyJ",
        "cGxhbnRlZ",
    ];
    planted.into_iter().find(|planted| shows(text, planted))
}

/// Digits in a row only count if they stand alone: any six digits turn up within a longer number sooner or later.
fn shows(text: &str, planted: &str) -> bool {
    let alone = |part: Option<char>| !part.is_some_and(|c| c.is_ascii_alphanumeric());
    let number = planted.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(planted).any(|(at, _)| {
        !number || (alone(text[..at].chars().next_back()) && alone(text[at + planted.len()..].chars().next()))
    })
}

/// How many lines the watch has read.
pub fn lines() -> usize {
    LINES.load(Ordering::Relaxed)
}

/// Reads all tracing events of this process from now on. A subscriber of a test's own goes first on its thread.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(|| Watch)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
    });
}

struct Watch;

impl Write for Watch {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(line);
        // The mock server plays Transak, and logs what it is sent.
        if text.contains(" httpmock::") {
            return Ok(line.len());
        }
        if let Some(planted) = leaked(&text) {
            // Not a panic: in a task it would be taken for the failure that a test has asked for.
            let _ = writeln!(io::stderr(), "a tracing event shows {planted}: {text}");
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
