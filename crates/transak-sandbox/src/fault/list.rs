//! The faults that are waiting.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use transak_client::Operation;

use super::{Effect, Fault};

/// Most faults that may wait.
const MOST: usize = 1000;
/// Longest JSON or page of a fault, longest value of a header, and longest delay.
const LONGEST_BODY: usize = 256 * 1024;
const LONGEST_HEADER: usize = 8 * 1024;
const LONGEST_MILLIS: u64 = 600_000;

/// Why a fault is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no such operation.
    #[error("operation `{0}` is unknown")]
    Operation(String),
    /// A value is out of range.
    #[error("{0}")]
    Value(&'static str),
    /// Too many are waiting.
    #[error("{MOST} faults are waiting already")]
    TooMany,
}

/// A fault that is waiting.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFault {
    /// Its id.
    pub id: u64,
    /// The fault; `times` is what is left of it.
    #[serde(flatten)]
    pub fault: Fault,
}

/// Faults in the order they were given; the first that matches a call is the one that fires.
#[derive(Debug, Default)]
pub(crate) struct FaultList {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<WaitingFault>,
    last_id: u64,
    fired: BTreeMap<&'static str, u64>,
}

impl FaultList {
    pub(crate) fn add(&self, fault: Fault) -> Result<u64, FaultError> {
        check(&fault)?;
        self.with(|inner| {
            if inner.waiting.len() >= MOST {
                return Err(FaultError::TooMany);
            }
            inner.last_id += 1;
            inner.waiting.push_back(WaitingFault {
                id: inner.last_id,
                fault,
            });
            Ok(inner.last_id)
        })
    }

    /// The fault that hits this call, if any does; used up by one.
    pub(crate) fn fire(&self, operation: &'static str) -> Option<Effect> {
        self.with(|inner| {
            let hits = |waiting: &WaitingFault| {
                waiting
                    .fault
                    .operation
                    .as_deref()
                    .is_none_or(|wanted| wanted == operation)
            };
            let at = inner.waiting.iter().position(hits)?;
            let waiting = inner.waiting.get_mut(at)?;
            let effect = waiting.fault.effect.clone();
            waiting.fault.times = waiting.fault.times.saturating_sub(1);
            if waiting.fault.times == 0 {
                inner.waiting.remove(at);
            }
            *inner.fired.entry(operation).or_default() += 1;
            Some(effect)
        })
    }

    pub(crate) fn waiting(&self) -> Vec<WaitingFault> {
        self.with(|inner| inner.waiting.iter().cloned().collect())
    }

    /// How many calls were hit, by operation.
    pub(crate) fn fired(&self) -> BTreeMap<&'static str, u64> {
        self.with(|inner| inner.fired.clone())
    }

    /// Takes waiting faults back and tells how many; the counts of fired ones stay.
    pub(crate) fn clear(&self) -> usize {
        self.with(|inner| std::mem::take(&mut inner.waiting).len())
    }

    /// Takes one waiting fault back.
    pub(crate) fn remove(&self, id: u64) -> bool {
        self.with(|inner| {
            let before = inner.waiting.len();
            inner.waiting.retain(|waiting| waiting.id != id);
            inner.waiting.len() < before
        })
    }

    pub(crate) fn reset(&self) {
        self.with(|inner| *inner = Inner::default());
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn check(fault: &Fault) -> Result<(), FaultError> {
    if let Some(id) = &fault.operation
        && Operation::find(id).is_none()
    {
        return Err(FaultError::Operation(id.chars().take(64).collect()));
    }
    if fault.times == 0 {
        return Err(FaultError::Value("times must be at least 1"));
    }
    match &fault.effect {
        Effect::Answer {
            status, body, headers, ..
        } => {
            status_in_range(*status)?;
            if body.as_ref().is_some_and(|body| body.to_string().len() > LONGEST_BODY) {
                return Err(FaultError::Value("body is longer than allowed"));
            }
            let usable = |(name, value): (&String, &String)| {
                if value.len() > LONGEST_HEADER {
                    return false;
                }
                // Parsed first: a name may be written in any case.
                let name = name.parse::<http::HeaderName>();
                let framing = ["content-length", "transfer-encoding", "connection"];
                name.is_ok_and(|name| !framing.contains(&name.as_str())) && value.parse::<http::HeaderValue>().is_ok()
            };
            if headers.len() > 32 || !headers.iter().all(usable) {
                return Err(FaultError::Value("headers cannot be sent"));
            }
        }
        Effect::Html { status, page, .. } => {
            status_in_range(*status)?;
            if page.len() > LONGEST_BODY {
                return Err(FaultError::Value("page is longer than allowed"));
            }
        }
        Effect::Delay { millis } if *millis > LONGEST_MILLIS => {
            return Err(FaultError::Value("millis is longer than ten minutes"));
        }
        Effect::SlowBody { pieces, pause_millis } => {
            if *pieces == 0 || u64::from(*pieces).saturating_mul(*pause_millis) > LONGEST_MILLIS {
                return Err(FaultError::Value(
                    "pieces must be at least 1, and all pauses ten minutes at most",
                ));
            }
        }
        Effect::Delay { .. } | Effect::DropBefore | Effect::DropAfter => {}
    }
    Ok(())
}

fn status_in_range(status: u16) -> Result<(), FaultError> {
    if (200..=599).contains(&status) {
        Ok(())
    } else {
        Err(FaultError::Value("status must be from 200 to 599"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_fires_and_is_used_up() {
        let list = FaultList::default();
        let _ = list.add(Fault::new(Effect::DropBefore).on("getOrders"));
        let _ = list.add(Fault::new(Effect::DropAfter).times(2));
        assert_eq!(list.fire("getPrice"), Some(Effect::DropAfter));
        assert_eq!(list.fire("getOrders"), Some(Effect::DropBefore));
        assert_eq!(list.fire("getOrders"), Some(Effect::DropAfter));
        assert_eq!(list.fire("getOrders"), None);
        assert_eq!(list.fired(), BTreeMap::from([("getOrders", 2), ("getPrice", 1)]));
    }

    fn with_header(name: &str, value: &str) -> Fault {
        Fault::new(Effect::Answer {
            status: 200,
            body: Some(serde_json::json!({})),
            headers: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            when: crate::fault::When::Before,
        })
    }

    #[test]
    fn the_list_is_bounded_and_its_entries_are_checked() {
        let list = FaultList::default();
        assert!(matches!(
            list.add(Fault::new(Effect::DropBefore).on("nope")),
            Err(FaultError::Operation(_))
        ));
        for bad in [
            Fault::new(Effect::DropBefore).times(0),
            Fault::new(Effect::html(99)),
            Fault::new(Effect::Delay { millis: u64::MAX }),
            // A length of the caller's own would tear the connection's framing apart, however it is spelled.
            with_header("content-length", "5"),
            with_header("Content-Length", "5"),
            with_header("TRANSFER-ENCODING", "5"),
            with_header("x-long", &"x".repeat(LONGEST_HEADER + 1)),
            Fault::new(Effect::SlowBody {
                pieces: 0,
                pause_millis: 1,
            }),
            Fault::new(Effect::SlowBody {
                pieces: u16::MAX,
                pause_millis: u64::MAX,
            }),
        ] {
            assert!(matches!(list.add(bad.clone()), Err(FaultError::Value(_))), "{bad:?}");
        }
        for _ in 0..MOST {
            assert!(list.add(Fault::new(Effect::DropBefore)).is_ok());
        }
        assert_eq!(list.add(Fault::new(Effect::DropBefore)), Err(FaultError::TooMany));
        assert_eq!(list.clear(), MOST);
    }
}
