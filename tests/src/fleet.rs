//! The README's example of a fleet, as a fleet.
#![allow(clippy::missing_panics_doc)]

use std::error::Error;

use transak_client::Environment;
use transak_sandbox::Sandbox;
use transak_session::AccessToken;
use transak_session::store::seal::SealKey;
use transak_test_servers::postgres::PostgresServer;

/// Runs a replica three times at once on one database, which waits for its disk, and the sandbox: all have the one token.
pub fn as_a_fleet(replica: impl AsyncFn(&str, &str, Environment) -> Result<AccessToken, Box<dyn Error>>) {
    let server = PostgresServer::start_flushing();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::builder().start().await.unwrap();
        sandbox.control().update_settings(|settings| {
            settings.api_key = "your-api-key".to_owned();
            settings.api_secret = "your-api-secret".to_owned();
        });
        let (database, key) = (server.url(), SealKey::generate().unwrap().expose_base64());
        let run = || replica(&database, &key, sandbox.environment());
        let (one, two, three) = tokio::join!(run(), run(), run());
        let tokens = [one, two, three].map(|token| token.unwrap().fingerprint());
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        assert_eq!(sandbox.control().counts().world.mints, 1);
    });
}
