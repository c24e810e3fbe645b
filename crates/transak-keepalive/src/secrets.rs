//! Secrets from the environment, or from files that it names.

use transak_session::store::seal::{KeyRing, SealKey, SealKeyError};
use zeroize::Zeroizing;

/// A secret that could not be had. None of these repeats what was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("{0} is not set; set it, or let {0}_FILE name a file that holds it")]
    Missing(&'static str),
    #[error("both {0} and {0}_FILE are set; set one of them")]
    Twice(&'static str),
    #[error("the file that {name}_FILE names cannot be read: {kind}")]
    Unreadable {
        name: &'static str,
        kind: std::io::ErrorKind,
    },
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("{name} is not a sealing key; `openssl rand -base64 32` makes one")]
    SealKey {
        name: &'static str,
        #[source]
        error: SealKeyError,
    },
}

/// A secret, if there is one. White space around it, such as the end of a file's line, does not count.
pub(crate) fn optional(name: &'static str) -> Result<Option<Zeroizing<String>>, SecretError> {
    let file = std::env::var_os(format!("{name}_FILE"));
    let text = match (std::env::var(name).ok(), file) {
        (Some(_), Some(_)) => return Err(SecretError::Twice(name)),
        (Some(text), None) => Zeroizing::new(text),
        (None, Some(path)) => {
            Zeroizing::new(std::fs::read_to_string(path).map_err(|e| SecretError::Unreadable { name, kind: e.kind() })?)
        }
        (None, None) => return Ok(None),
    };
    match text.trim() {
        "" => Err(SecretError::Empty(name)),
        trimmed => Ok(Some(Zeroizing::new(trimmed.to_owned()))),
    }
}

pub(crate) fn required(name: &'static str) -> Result<Zeroizing<String>, SecretError> {
    optional(name)?.ok_or(SecretError::Missing(name))
}

pub(crate) fn seal_keys() -> Result<KeyRing, SecretError> {
    const CURRENT: &str = "TRANSAK_SEAL_KEY";
    const OLDER: &str = "TRANSAK_OLDER_SEAL_KEYS";
    let key =
        |name, text: &str| SealKey::from_base64(text.trim()).map_err(|error| SecretError::SealKey { name, error });
    let mut ring = KeyRing::new(key(CURRENT, &required(CURRENT)?)?);
    if let Some(older) = optional(OLDER)? {
        for text in older.split([',', '\n']).filter(|text| !text.trim().is_empty()) {
            ring = ring.with_older(key(OLDER, text)?);
        }
    }
    Ok(ring)
}
