//! The mailbox that one-time passwords are sent to.

use serde::Serialize;

use super::Moment;

/// One mail with a one-time password.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The address as the caller wrote it.
    pub to: String,
    /// The one-time password.
    pub code: String,
    /// The state token of the same challenge.
    pub state_token: Option<String>,
    /// When it was sent.
    pub sent_at: Moment,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

/// The newest mails. Room is made in one go when twice the cap is reached, so that a mail costs the same every time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mailbox {
    mails: Vec<Mail>,
    hidden: usize,
}

impl Mailbox {
    /// Adds a mail and returns how many went out of sight.
    pub(crate) fn push(&mut self, mail: Mail, cap: usize) -> u64 {
        let cap = cap.max(1);
        self.mails.push(mail);
        let hidden = self.mails.len().saturating_sub(cap).max(self.hidden);
        let dropped = hidden - self.hidden;
        self.hidden = hidden;
        if self.hidden >= cap {
            self.mails.drain(..self.hidden);
            self.hidden = 0;
        }
        dropped as u64
    }

    pub(crate) fn as_slice(&self) -> &[Mail] {
        self.mails.get(self.hidden..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_kept() {
        let mut mailbox = Mailbox::default();
        let mut dropped = 0;
        for number in 0..1_000 {
            let mail = Mail {
                to: String::new(),
                code: number.to_string(),
                state_token: None,
                sent_at: Moment::from_seconds(0),
            };
            dropped += mailbox.push(mail, 10);
            assert!(mailbox.as_slice().len() <= 10 && mailbox.mails.len() <= 20);
            assert_eq!(
                mailbox.as_slice().last().map(|mail| mail.code.clone()),
                Some(number.to_string())
            );
        }
        assert_eq!(dropped, 990);
    }
}
