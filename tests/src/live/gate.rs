//! What may be run against the real staging host: a question of the environment variables given, and of nothing else.

use std::collections::BTreeMap;

use transak_client::operations::{
    Credential, REFRESH_ACCESS_TOKEN, REFRESH_USER_ACCESS_TOKEN, SEND_USER_OTP, VERIFY_USER_OTP,
};
use transak_client::{Credentials, Environment, Operation, Safety};

/// The one that everything needs.
pub const API_KEY: &str = "TRANSAK_STAGING_API_KEY";
/// Presented to mint a partner token.
pub const API_SECRET: &str = "TRANSAK_STAGING_API_SECRET";
/// A partner token that somebody else minted.
pub const PARTNER_TOKEN: &str = "TRANSAK_STAGING_PARTNER_TOKEN";
/// A user token that somebody else got.
pub const USER_TOKEN: &str = "TRANSAK_STAGING_USER_TOKEN";
/// The test user.
pub const USER_EMAIL: &str = "TRANSAK_STAGING_USER_EMAIL";
/// The test user's address.
pub const USER_IP: &str = "TRANSAK_STAGING_USER_IP";
/// An order of the account; otherwise the first one that Get Orders lists.
pub const ORDER_ID: &str = "TRANSAK_STAGING_ORDER_ID";
/// The one-time password, where it is known beforehand; otherwise it is asked for on the terminal.
pub const OTP: &str = "TRANSAK_STAGING_OTP";
/// `1` allows to log in, which mails a password, and to mint, which kills the partner token before.
pub const ALLOW_ONCE: &str = "TRANSAK_STAGING_ALLOW_ONCE";

const ALL: [&str; 9] = [
    API_KEY,
    API_SECRET,
    PARTNER_TOKEN,
    USER_TOKEN,
    USER_EMAIL,
    USER_IP,
    ORDER_ID,
    OTP,
    ALLOW_ONCE,
];

/// Leave to run against staging, and how far it goes. Prints no values.
#[derive(Clone)]
pub struct Staging {
    values: BTreeMap<&'static str, String>,
    hosts: Environment,
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Staging {
    /// Reads the variables. One that is empty counts as not set.
    ///
    /// # Errors
    /// What has to be set before anything can be run.
    pub fn of(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let values: BTreeMap<&'static str, String> = ALL
            .into_iter()
            .filter_map(|name| Some((name, lookup(name)?.trim().to_owned())))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        if values.contains_key(API_KEY) {
            return Ok(Self {
                values,
                hosts: Environment::Staging,
            });
        }
        let optional = ALL[1..].join(", ");
        Err(format!(
            "NOT RUN against staging: set {API_KEY}, and for more than the public operations {optional}"
        ))
    }

    /// Something else in staging's place, so that what would be sent there can be seen.
    #[must_use]
    pub fn hosted_by(mut self, hosts: Environment) -> Self {
        self.hosts = hosts;
        self
    }

    pub(super) fn hosts(&self) -> Environment {
        self.hosts.clone()
    }

    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The credentials that were given.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        [
            (Credential::ApiKey, API_KEY),
            (Credential::ApiSecret, API_SECRET),
            (Credential::PartnerToken, PARTNER_TOKEN),
            (Credential::UserToken, USER_TOKEN),
            (Credential::UserIdentifier, USER_EMAIL),
            (Credential::UserIp, USER_IP),
        ]
        .into_iter()
        .filter_map(|(credential, name)| Some((credential, self.get(name)?)))
        .fold(Credentials::new(), |all, (credential, value)| {
            all.with(credential, value)
        })
    }

    /// Whether an operation may be run at all. Which of its alternatives can be is up to the credentials.
    ///
    /// # Errors
    /// Why not.
    pub fn permits(&self, operation: &Operation) -> Result<(), String> {
        let login = [&SEND_USER_OTP, &VERIFY_USER_OTP];
        match operation.safety() {
            Safety::Safe => Ok(()),
            Safety::Once if *operation == REFRESH_USER_ACCESS_TOKEN => {
                Err("refused: it would use up the user token".to_owned())
            }
            Safety::Once if *operation == REFRESH_ACCESS_TOKEN || login.contains(&operation) => {
                if self.get(ALLOW_ONCE) != Some("1") {
                    Err(format!("refused: it works once; set {ALLOW_ONCE}=1 to allow it"))
                } else if *operation == REFRESH_ACCESS_TOKEN && self.get(PARTNER_TOKEN).is_some() {
                    Err(format!("refused: it would kill the token in {PARTNER_TOKEN}"))
                } else if login.contains(&operation) && self.get(USER_EMAIL).is_none() {
                    Err(format!("not run: set {USER_EMAIL}"))
                } else {
                    Ok(())
                }
            }
            Safety::Once => Err("refused: it works once, and is neither login nor mint".to_owned()),
            _ => Err("refused: it changes something, and only reading and login are allowed".to_owned()),
        }
    }
}
