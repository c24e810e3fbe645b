//! When the server wants to be asked again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// A longer wait is a mistake, or an attack on the caller's patience.
const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The `retry-after` of a response, in seconds or as a date; at most a day. A date that has passed gives zero.
pub(super) fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> Option<SystemTime>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // What does not fit 64 bits is longer than the longest wait.
        return Some(value.parse().map_or(MAX, Duration::from_secs).min(MAX));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    // By the server's own clock if it tells the time: ours may differ.
    let wait = until.duration_since(server_time(headers).or_else(now)?);
    Some(wait.unwrap_or(Duration::ZERO).min(MAX))
}

/// What time it was at the server when it answered, to the second: the header `Date`.
#[must_use]
pub fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok()
}

/// The time by our own clock. There is none on wasm32, where asking for it would panic.
pub(super) fn now() -> Option<SystemTime> {
    (!cfg!(target_arch = "wasm32")).then(SystemTime::now)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn wait(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let now = httpdate::parse_http_date("Fri, 31 May 2024 12:00:00 GMT").unwrap();
        super::retry_after(&headers, || Some(now)).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        let noon_and_a_half = "Fri, 31 May 2024 12:00:30 GMT";
        assert_eq!(wait(" 17 ", None), Some(17));
        assert_eq!(wait("0", None), Some(0));
        assert_eq!(wait("99999999999999999999999", None), Some(86_400));
        assert_eq!(wait(noon_and_a_half, None), Some(30));
        let earlier = "Fri, 31 May 2024 11:59:30 GMT";
        assert_eq!(wait(noon_and_a_half, Some(earlier)), Some(60));
        assert_eq!(wait(earlier, None), Some(0));
        assert_eq!(wait("Tue, 31 May 2044 12:00:00 GMT", None), Some(86_400));
        for nonsense in ["", "-1", "1.5", "soon", "١"] {
            assert_eq!(wait(nonsense, None), None, "{nonsense}");
        }
        assert_eq!(super::retry_after(&HeaderMap::new(), super::now), None);
    }

    #[test]
    fn without_a_clock_the_date_of_the_server_is_enough() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Fri, 31 May 2024 12:00:30 GMT".parse().unwrap());
        assert_eq!(super::retry_after(&headers, || None), None);
        headers.insert(DATE, "Fri, 31 May 2024 12:00:00 GMT".parse().unwrap());
        assert_eq!(super::retry_after(&headers, || None), Some(Duration::from_secs(30)));
    }
}
