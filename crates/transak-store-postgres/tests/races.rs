//! What happens between two statements of two replicas, held still by locks.
#![allow(clippy::unwrap_used, clippy::panic)]
mod support;

use std::time::{Duration, Instant};

use support::{due, idle, key, open, put};
use transak_session::store::{Claim, SessionStore, Swap};
use transak_test_servers::postgres::PostgresServer;

const SPAN: Duration = Duration::from_secs(30);

/// Makes every update of a session wait for a lock when it commits: all is written by then and none of it is seen.
const HOLD_COMMITS: &str = "
    CREATE FUNCTION transak.held() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER held AFTER UPDATE ON transak.session
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transak.held()";

/// Holds commits while it is closed.
struct Gate {
    client: tokio_postgres::Client,
    connection: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Gate {
    async fn closed(server: &PostgresServer) -> Self {
        let _ = server.command(HOLD_COMMITS);
        let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
        Self { client, connection }
    }

    async fn open(self) {
        self.client.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
        drop(self.client);
        self.connection.await.unwrap().unwrap();
    }
}

/// Until this many connections wait for a lock of this kind.
async fn waiting(server: &PostgresServer, lock: &str, number: &str) {
    let asked =
        format!("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = '{lock}'");
    let begun = Instant::now();
    while server.command(&asked) != number {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits for {lock}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A claim that meets the commit of a renewal must answer with what was renewed: with the token from before, the same
/// renewal would be made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_waits_for_a_swap_reads_what_was_swapped_in() {
    let server = PostgresServer::start();
    let store = open(&server).await;
    let old = put(&store, &key(1), due(1)).await;
    let Claim::Granted { lease, .. } = store.claim(&key(1), SPAN).await.unwrap() else {
        panic!("nobody else claims")
    };
    let gate = Gate::closed(&server).await;

    let renewing = tokio::spawn({
        let store = store.clone();
        async move { store.swap(&key(1), Some(old), idle(1), Some(&lease)).await }
    });
    waiting(&server, "advisory", "1").await;
    let claiming = tokio::spawn({
        let store = store.clone();
        async move { store.claim(&key(1), SPAN).await }
    });
    // For the end of the transaction that has deleted the lease.
    waiting(&server, "transactionid", "1").await;
    gate.open().await;

    let Swap::Stored(new) = renewing.await.unwrap().unwrap() else {
        panic!("nobody else writes")
    };
    let Claim::Granted { record, .. } = claiming.await.unwrap().unwrap() else {
        panic!("the lease has ended with the swap")
    };
    assert_eq!(record.unwrap().version, new, "the record is older than the lease");
}

/// The same for those who look for what is due: it is not due any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_pass_over_what_is_just_being_renewed() {
    let server = PostgresServer::start();
    let store = open(&server).await;
    let old = put(&store, &key(1), due(1)).await;
    let claimed = store.claim_due(&support::critical(10, SPAN)).await.unwrap();
    let [one] = &claimed[..] else { panic!("one is due") };
    let lease = one.lease.clone();
    let gate = Gate::closed(&server).await;
    let renewing = tokio::spawn({
        let store = store.clone();
        async move { store.swap(&key(1), Some(old), idle(1), Some(&lease)).await }
    });
    waiting(&server, "advisory", "1").await;
    // Nobody waits for another's commit to find something to do.
    let found = store.claim_due(&support::critical(10, SPAN)).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
    gate.open().await;
    assert!(matches!(renewing.await.unwrap().unwrap(), Swap::Stored(_)));
    let found = store.claim_due(&support::critical(10, SPAN)).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}
