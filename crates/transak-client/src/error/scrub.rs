//! Taking what looks like personal data or secrets out of texts written by the server.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

const REDACTED: &str = "[redacted]";

/// Words of this many characters are taken for tokens.
const LONG_WORD: usize = 20;

/// So many digits together are taken for a one-time password, a phone number or an account.
const MANY_DIGITS: usize = 4;

/// More characters than this are cut off.
const MAX_CHARS: usize = 500;

/// Shows a text without words that look like e-mail addresses, IP addresses, tokens, or groups of four or more digits.
///
/// It cannot know names of people; the message of an error is therefore best not logged at all where the server may put them.
pub(super) fn scrub(text: &str) -> String {
    let (text, cut) = match text.char_indices().nth(MAX_CHARS) {
        // The word at the cut goes too: half a secret may no longer look like one.
        Some((end, _)) => {
            let kept = &text[..end];
            let end = kept.rfind(char::is_whitespace).unwrap_or(0);
            (&kept[..end], true)
        }
        None => (text, false),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < words.len() {
        if !out.is_empty() {
            out.push(' ');
        }
        let run = number_run(&words[index..]);
        if run > 1 && words[index..index + run].iter().map(|w| digits(w)).sum::<usize>() >= MANY_DIGITS {
            out.push_str(REDACTED);
            index += run;
        } else {
            out.push_str(&scrub_word(words[index]));
            index += 1;
        }
    }
    if cut {
        out.push('…');
    }
    out
}

/// How many words from the start make up one number written in groups, such as `+1 415 555 26`.
fn number_run(words: &[&str]) -> usize {
    let part = |word: &&str| digits(word) > 0 && !word.chars().any(char::is_alphabetic);
    words.iter().take_while(|w| part(w)).count()
}

fn digits(word: &str) -> usize {
    word.chars().filter(|c| c.is_numeric()).count()
}

fn scrub_word(word: &str) -> Cow<'_, str> {
    let email = word.contains(['@', '＠']) || word.contains("%40");
    if email || word.chars().count() >= LONG_WORD || has_ipv6(word) {
        return REDACTED.into();
    }
    let (first, last) = (word.find(char::is_numeric), word.rfind(char::is_numeric));
    let word: Cow<'_, str> = match (first, last) {
        // From the first to the last digit, since a group may be split by dots or dashes.
        (Some(first), Some(last)) if digits(word) >= MANY_DIGITS => {
            let after = word[last..].chars().next().map_or(last, |c| last + c.len_utf8());
            format!("{}{REDACTED}{}", &word[..first], &word[after..]).into()
        }
        _ => word.into(),
    };
    if word.contains(char::is_control) {
        return word.replace(char::is_control, "").into();
    }
    word
}

fn has_ipv6(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.')
        .map(|part| part.trim_matches('.'))
        .any(|part| part.len() > 2 && (is_ipv6(part) || is_ipv6(part.trim_end_matches(':'))))
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// Prints a scrubbed text in `Debug` output.
pub(super) struct Scrubbed<'a>(pub(super) &'a str);

impl fmt::Debug for Scrubbed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scrub(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn plain_texts_stay() {
        for text in [
            "",
            "Wallet address is invalid",
            "Amount must be between 10 and 50 USD.",
            "try again in 60 seconds",
            "code 400: bad request",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn what_looks_private_goes() {
        for (text, expected) in [
            ("OTP 123456 sent", "OTP [redacted] sent"),
            ("otp:1234.", "otp:[redacted]."),
            ("12-34-56!", "[redacted]!"),
            ("code 123 456", "code [redacted]"),
            ("call +1 415 555 2671 now", "call [redacted] now"),
            ("sent to (j**e@x.io)", "sent to [redacted]"),
            ("j%40x.io", "[redacted]"),
            ("from 10.0.0.17:80 denied", "from [redacted] denied"),
            ("ip=fe80::1, denied", "[redacted] denied"),
            ("[::1]:", "[redacted]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJ.c bad", "[redacted] bad"),
            ("a\u{1b}[31mb\r\nc", "a[31mb c"),
            ("١٢٣٤", "[redacted]"),
        ] {
            assert_eq!(scrub(text), expected);
        }
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        let text = format!("{} user@example.org tail", "word ".repeat(99));
        let scrubbed = scrub(&text);
        assert!(scrubbed.ends_with("word…"), "{scrubbed}");
        assert_eq!(scrub(&"x".repeat(501)), "…");
    }
}
