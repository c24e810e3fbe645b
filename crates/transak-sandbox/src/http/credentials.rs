//! Which credential headers a request brings. Whether their values are any good is the world's to say.

use std::sync::OnceLock;

use ::http::HeaderMap;
use transak_client::Operation;
use transak_client::operations::{self, Credential, Host};

use super::Refusal;

/// Checks the credential headers of a request. `forbidden` as for [`Refusal::no_credentials`].
pub(crate) fn check(operation: &Operation, headers: &HeaderMap, forbidden: bool) -> Result<(), Refusal> {
    for header in operation
        .alternatives()
        .iter()
        .flat_map(|alternative| alternative.headers())
    {
        if headers.get_all(header.name()).iter().count() > 1 {
            return Err(Refusal::invalid(format!("{} was given more than once", header.name())));
        }
    }
    if both_methods(operation, headers) {
        return Err(Refusal::invalid(
            "authorization must not be sent together with x-access-token or x-user-identifier: choose one method",
        ));
    }
    let Some(nearest) = operation
        .alternatives()
        .iter()
        .map(|alternative| missing(alternative.headers(), headers))
        .min()
    else {
        return Ok(());
    };
    match nearest {
        (0, _) => Ok(()),
        (_, header) => Err(Refusal::no_credentials(
            operation,
            header.unwrap_or_default(),
            forbidden,
        )),
    }
}

/// How many headers of an alternative are missing, and the first of them.
fn missing(wanted: &[transak_client::operation::Header], headers: &HeaderMap) -> (usize, Option<&'static str>) {
    let mut absent = wanted
        .iter()
        .map(|header| header.name())
        .filter(|name| !present(headers, name));
    let first = absent.next();
    (usize::from(first.is_some()) + absent.count(), first)
}

/// Whether a request mixes Transak Auth and Auth Reliance, on an operation for users.
fn both_methods(operation: &Operation, headers: &HeaderMap) -> bool {
    let methods = methods();
    let carries = |names: &[&'static str]| names.iter().any(|name| present(headers, name));
    let concerns_users = operation
        .alternatives()
        .iter()
        .flat_map(|alternative| alternative.headers())
        .any(|header| matches!(header.credential(), Credential::UserToken | Credential::UserIdentifier));
    concerns_users && operation.host() == Host::Gateway && carries(&methods.own) && carries(&methods.reliance)
}

/// Headers that only one of the two methods uses.
struct Methods {
    own: Vec<&'static str>,
    reliance: Vec<&'static str>,
}

/// Read from the alternatives with and without a user identifier, so a new header name needs no line here.
fn methods() -> &'static Methods {
    static METHODS: OnceLock<Methods> = OnceLock::new();
    METHODS.get_or_init(|| {
        let mut methods = Methods {
            own: Vec::new(),
            reliance: Vec::new(),
        };
        for alternative in operations::ALL.iter().flat_map(|operation| operation.alternatives()) {
            let reliance = alternative
                .headers()
                .iter()
                .any(|h| h.credential() == Credential::UserIdentifier);
            for header in alternative.headers() {
                let list = match header.credential() {
                    Credential::UserToken => &mut methods.own,
                    Credential::UserIdentifier | Credential::PartnerToken if reliance => &mut methods.reliance,
                    _ => continue,
                };
                if !list.contains(&header.name()) {
                    list.push(header.name());
                }
            }
        }
        methods
    })
}

fn present(headers: &HeaderMap, name: &str) -> bool {
    headers
        .get(name)
        .is_some_and(|value| !value.as_bytes().trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for name in names {
            map.append(*name, http::HeaderValue::from_static("x"));
        }
        map
    }

    #[test]
    fn the_two_methods_are_told_apart_by_the_table() {
        assert_eq!(methods().own, ["authorization"]);
        assert_eq!(methods().reliance, ["x-access-token", "x-user-identifier"]);
    }

    #[test]
    fn the_first_missing_header_of_the_nearest_alternative_is_named() {
        let details = &operations::GET_USER_DETAILS;
        let ok = headers(&["authorization", "x-api-key", "x-user-ip"]);
        assert_eq!(check(details, &ok, false), Ok(()));
        let near = headers(&["x-access-token", "x-api-key", "x-user-ip"]);
        let refusal = check(details, &near, false).unwrap_err();
        assert_eq!(refusal.status(), 401);
        assert!(
            format!("{refusal:?}").contains("authorization is missing"),
            "{refusal:?}"
        );
    }

    #[test]
    fn a_widget_url_may_carry_partner_and_user_token() {
        let both = headers(&["access-token", "authorization", "x-api-key", "x-user-ip"]);
        assert_eq!(check(&operations::CREATE_WIDGET_URL, &both, false), Ok(()));
        let mixed = headers(&["authorization", "x-access-token", "x-api-key", "x-user-ip"]);
        assert_eq!(
            check(&operations::GET_USER_DETAILS, &mixed, false)
                .unwrap_err()
                .status(),
            400
        );
        assert_eq!(
            check(&operations::ONBOARD_USER, &mixed, false).unwrap_err().status(),
            400
        );
        // Nobody is logged in yet: there is no method to mix.
        assert_eq!(check(&operations::SEND_USER_OTP, &mixed, false), Ok(()));
    }

    #[test]
    fn a_repeated_credential_is_refused() {
        let twice = headers(&["x-api-key", "x-api-key"]);
        assert_eq!(
            check(&operations::GET_COUNTRIES, &twice, false).unwrap_err().status(),
            400
        );
    }
}
