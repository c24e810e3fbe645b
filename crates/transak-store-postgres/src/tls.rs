//! Whether and how a connection is encrypted.

use tokio_postgres::Socket;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
#[cfg(not(feature = "rustls"))]
use {crate::options::PostgresOptions, transak_session::store::StoreError};

/// Requires TLS unless the address turns it off or the server is on this machine: a connection that is encrypted only where
/// the other side likes protects from nobody who stands in between.
pub(crate) fn require(config: &mut Config) {
    if config.get_ssl_mode() == SslMode::Prefer && !is_local(config) {
        config.ssl_mode(SslMode::Require);
    }
}

fn is_local(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        // A Unix socket.
        #[allow(unreachable_patterns)]
        _ => true,
    });
    named && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// Makes connections with TLS, or refuses to.
#[cfg(feature = "rustls")]
pub(crate) type Connector = tokio_postgres_rustls::MakeRustlsConnect;
#[cfg(not(feature = "rustls"))]
pub(crate) type Connector = tokio_postgres::NoTls;

pub(crate) type Stream = <Connector as MakeTlsConnect<Socket>>::Stream;

#[cfg(feature = "rustls")]
pub(crate) use with_rustls::connector;

#[cfg(not(feature = "rustls"))]
pub(crate) fn connector(_: &PostgresOptions) -> Result<Connector, StoreError> {
    Ok(tokio_postgres::NoTls)
}

#[cfg(feature = "rustls")]
mod with_rustls {
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, RootCertStore};
    use tokio_postgres_rustls::MakeRustlsConnect;
    use transak_session::store::{StoreError, StoreErrorKind};

    use crate::options::PostgresOptions;

    fn unusable(what: &'static str) -> StoreError {
        StoreError::of(StoreErrorKind::Unavailable, what)
    }

    pub(crate) fn connector(options: &PostgresOptions) -> Result<MakeRustlsConnect, StoreError> {
        let mut roots = RootCertStore::empty();
        match &options.root_certificates {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|_| unusable("the root certificates are not PEM"))?;
                    roots
                        .add(certificate)
                        .map_err(|_| unusable("a root certificate is not one"))?;
                }
                if roots.is_empty() {
                    return Err(unusable("there is no certificate among the root certificates"));
                }
            }
            // Some that cannot be read are usual; without any, the first connection with TLS fails.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| unusable("TLS cannot be set up"))?
            .with_root_certificates(roots);
        let config = match &options.identity {
            None => config.with_no_client_auth(),
            Some((certificates, key)) => {
                let certificates = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
                let certificates = certificates.map_err(|_| unusable("the client's certificate is not PEM"))?;
                let key =
                    PrivateKeyDer::from_pem_slice(key).map_err(|_| unusable("the client's key is not a PEM key"))?;
                config
                    .with_client_auth_cert(certificates, key)
                    .map_err(|_| unusable("the client's certificate and its key do not fit"))?
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_go_without() {
        for (address, mode) in [
            ("postgres://u@db.example/d", SslMode::Require),
            ("postgres://u@127.0.0.1/d", SslMode::Prefer),
            ("postgres://u@localhost/d", SslMode::Prefer),
            ("postgres://u@localhost,db.example/d", SslMode::Require),
            ("host=/run/postgresql user=u", SslMode::Prefer),
            ("host=localhost hostaddr=192.0.2.1 user=u", SslMode::Require),
            ("postgres://u@db.example/d?sslmode=disable", SslMode::Disable),
        ] {
            let mut config: Config = address.parse().unwrap_or_default();
            require(&mut config);
            assert_eq!(config.get_ssl_mode(), mode, "{address}");
        }
    }
}
