//! Each event as one line of the log.

use tracing::{debug, error, info, warn};

use super::SessionEvent;

/// All lines of this crate about events have this target, whatever file they come from.
macro_rules! line {
    ($level:ident, $event:ident, $($rest:tt)+) => {
        $level!(
            target: "transak_session",
            event = $event.name(),
            subject = $event.subject().map(tracing::field::display),
            reason = $event.reason(),
            $($rest)+
        )
    };
}

/// Writes exactly one line. Levels: error for what needs a person now, warn for what may if it goes on, info for what
/// happens to one session, debug for what happens all the time.
pub(super) fn log(event: &SessionEvent) {
    use SessionEvent as E;
    match event {
        E::LoggedIn { token, expires_at, .. } => line!(info, event, %token, %expires_at, "user logged in"),
        E::Renewed {
            former,
            token,
            expires_at,
            ..
        } => line!(info, event, %former, %token, %expires_at, "user token renewed"),
        E::Failed { retry_at, .. } => line!(warn, event, %retry_at, "getting a new token failed"),
        E::OtpRequired { .. } => line!(info, event, "only a login helps"),
        E::LoggedOut { .. } => line!(info, event, "user logged out"),
        E::Dormant { .. } => line!(info, event, "session is not kept alive any more"),
        E::Suspect { token, .. } => line!(warn, event, %token, "Transak refused a token or its renewal"),
        E::Minted { token, expires_at } => line!(info, event, %token, %expires_at, "partner token minted"),
        E::Adopted { token, .. } => line!(info, event, %token, "token of another process taken over"),
        E::Refused { retry_at, .. } => {
            line!(warn, event, %retry_at, "another token would not help, so none was asked for");
        }
        E::ContestedMinter => line!(error, event, "another program mints with the same API key"),
        E::DuplicateUpstream { .. } => line!(warn, event, "two calls for one token reached Transak"),
        E::NotStored { .. } => line!(warn, event, "a token could not be stored; it is used from memory"),
        E::MassLapseGuard { refused, of } => {
            line!(
                error,
                event,
                refused,
                of,
                "too many renewals are refused: nobody is logged out for it"
            );
        }
        E::KeepAliveProgress { renewed, failed } => {
            line!(debug, event, renewed, failed, "keep-alive has been through a batch");
        }
        E::ClockSkewed { wall_ahead_by_millis } => {
            line!(warn, event, wall_ahead_by_millis, "the machine's clock is wrong");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::super::samples;
    use crate::events::Events;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged by this thread meanwhile.
    fn lines_of(work: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        std::mem::take(&mut *lines.0.lock().unwrap())
    }

    #[test]
    fn each_kind_of_event_is_one_line_and_shows_nobody() {
        let events = Events::new(64);
        let mut heard = events.subscribe();
        for event in samples::all() {
            let lines = lines_of(|| events.emit(event.clone()));
            assert_eq!(lines.len(), 1, "{event:?} gives {lines:?}");
            let line = &lines[0];
            assert!(line.contains("transak_session: "), "{line}");
            assert!(line.contains(&format!("event=\"{}\"", event.name())), "{line}");
            let subject = event.subject().map(|subject| subject.to_string());
            if let Some(subject) = subject {
                assert!(line.contains(&format!("subject={subject}")), "{line}");
            }
            if let Some(reason) = event.reason() {
                assert!(line.contains(&format!("reason=\"{reason}\"")), "{line}");
            }
            for planted in samples::PLANTED {
                assert!(!line.contains(planted), "{line}");
            }
            assert_eq!(heard.try_next(), Some(crate::Delivery::Event(event)));
        }
    }
}
