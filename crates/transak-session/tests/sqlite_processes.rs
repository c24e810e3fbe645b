//! Several processes on one file, some of them killed: no write is lost, no lease is held twice, the file stays whole.
//!
//! The program runs itself: without arguments it is the test, with `--child` one of the processes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
mod sqlite_support;

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use sqlite_support::*;
use transak_session::RecordKey;
use transak_session::TenantId;
use transak_session::clock::{Clock, SystemClock, Timestamp};
use transak_session::store::{
    Claim, DueQuery, Lane, Lease, SessionStore, SqliteStore, StoreErrorKind, Swap, Versioned,
};

const KEYS: u32 = 24;
const CHILDREN: usize = 4;
const KILLS: u32 = 8;
const LEASE: Duration = Duration::from_secs(2);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "--child", dir, name] => runtime.block_on(child(Path::new(dir), name)),
        [_, "--read-only", path] => runtime.block_on(read_only(Path::new(path))),
        _ => {
            runtime.block_on(hammer());
            permissions();
            eprintln!("several processes on one file: ok");
        }
    }
}

async fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir.join("sessions.db"), ring(1)).await.unwrap()
}

/// A record whose `failures` count the writes, always due.
fn counting(count: u32) -> transak_session::store::Record {
    let now = SystemClock.now();
    let mut record = user(1, 0, 0);
    record.expires_at = now + DAY * 10;
    record.wake_at = now - HOUR;
    record.failures = count;
    record
}

async fn hammer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for name in 0..KEYS {
        put(&store, &key(1, name), counting(0)).await;
    }
    let mut children: Vec<Child> = (0..CHILDREN).map(|n| start(dir.path(), &n.to_string())).collect();
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let at = kill as usize % CHILDREN;
        children[at].kill().unwrap();
        children[at].wait().unwrap();
        children[at] = start(dir.path(), &format!("again-{kill}"));
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    fs::write(dir.path().join("stop"), b"").unwrap();
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a child found something wrong");
    }

    let mut acknowledged: HashMap<u32, u32> = HashMap::new();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "log") {
            for line in fs::read_to_string(path).unwrap().lines() {
                *acknowledged.entry(line.parse().unwrap()).or_default() += 1;
            }
        }
    }
    let (mut written, mut noted) = (0, 0);
    for name in 0..KEYS {
        let there = store.load(&key(1, name)).await.unwrap().unwrap();
        let acknowledged = acknowledged.get(&name).copied().unwrap_or(0);
        assert!(
            there.record.failures >= acknowledged,
            "key {name}: an acknowledged write was lost"
        );
        written += there.record.failures;
        noted += acknowledged;
    }
    // A child may die between the acknowledgement and its note.
    assert!(
        written <= noted + KILLS,
        "{written} writes for {noted} acknowledgements"
    );
    assert!(noted > 100, "only {noted} writes happened");
    let verified = store.verify().await.unwrap();
    assert_eq!((verified.records, verified.unreadable), (u64::from(KEYS), 0));
    eprintln!("{noted} writes by {CHILDREN} processes, {KILLS} of them killed");
}

fn start(dir: &Path, name: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).arg("--child").arg(dir).arg(name).spawn().unwrap()
}

async fn child(dir: &Path, name: &str) {
    let store = open(dir).await;
    let log = dir.join(format!("{name}.log"));
    let mut log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut turn = u32::from_ne_bytes(std::process::id().to_ne_bytes());
    while !dir.join("stop").exists() {
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let before = SystemTime::now();
        let claimed = if turn & 0x1000 == 0 {
            let query = DueQuery {
                tenant: TenantId::from_bytes([1; 8]),
                lane: Lane::Normal,
                limit: 2,
                span: LEASE,
            };
            let claimed = store.claim_due(&query).await.unwrap();
            claimed.into_iter().map(|c| (c.lease, c.record)).collect()
        } else {
            match store.claim(&key(1, (turn >> 16) % KEYS), LEASE).await.unwrap() {
                Claim::Granted { lease, record } => vec![(lease, record.unwrap())],
                Claim::Busy { .. } => Vec::new(),
            }
        };
        for (lease, record) in claimed {
            work(&store, dir, &mut log, before, lease, record).await;
        }
    }
    store.close().await.unwrap();
}

/// What one does under a lease. A file that only its maker may remove shows whether two are at it.
async fn work(store: &SqliteStore, dir: &Path, log: &mut fs::File, before: SystemTime, lease: Lease, read: Versioned) {
    let name = name_of(&lease.key);
    let sign = dir.join(format!("{name}.sign"));
    if let Ok(text) = fs::read_to_string(&sign) {
        // Left by somebody who was killed, or by somebody who is at work until then.
        let until: i64 = text.trim().parse().unwrap_or(0);
        let now = SystemClock.now();
        assert!(now >= Timestamp::from_unix_millis(until), "key {name} is leased twice");
        assert!(
            lease.abandoned.is_some_and(|ago| ago >= LEASE),
            "key {name}: a crash was not noticed"
        );
    }
    // Measured from before the claim, so earlier than the store's end of the lease.
    let until = Timestamp::from(before) + LEASE;
    fs::write(&sign, format!("{}\n", until.unix_millis())).unwrap();
    let started = Instant::now();
    let next = counting(read.record.failures + 1);
    fs::remove_file(&sign).unwrap();
    match store.swap(&lease.key, Some(read.version), next, Some(&lease)).await {
        Ok(Swap::Stored(_)) => writeln!(log, "{name}").unwrap(),
        Ok(Swap::Conflict(_)) => {
            let late = started.elapsed() + before.elapsed().unwrap_or_default() >= LEASE;
            assert!(late, "key {name} was written by somebody without a lease");
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn name_of(key: &RecordKey) -> u32 {
    u32::from_be_bytes(key.as_bytes()[8..12].try_into().unwrap())
}

/// Permissions do not bind the superuser, so if this is one, another user tries.
#[cfg(unix)]
fn permissions() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt, chown};
    use std::os::unix::process::CommandExt as _;
    let dir = tempfile::tempdir().unwrap();
    let root = fs::metadata(dir.path()).unwrap().uid() == 0;
    let program = dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let inside = dir.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let path = inside.join("sessions.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&path, ring(1)).await.unwrap();
        put(&store, &key(1, 1), user(1, 100, 50)).await;
        store.close().await.unwrap();
    });
    let run = |file: u32, directory: u32, path: &Path| {
        let whole = fs::read(inside.join("sessions.db")).unwrap();
        if root {
            for part in [dir.path().to_owned(), inside.clone(), inside.join("sessions.db")] {
                chown(part, Some(65_534), Some(65_534)).unwrap();
            }
        }
        fs::set_permissions(inside.join("sessions.db"), PermissionsExt::from_mode(file)).unwrap();
        fs::set_permissions(&inside, PermissionsExt::from_mode(directory)).unwrap();
        let mut command = Command::new(&program);
        command.arg("--read-only").arg(path);
        if root {
            command.uid(65_534).gid(65_534);
        }
        let status = command.status().unwrap();
        fs::set_permissions(&inside, PermissionsExt::from_mode(0o700)).unwrap();
        assert!(status.success(), "file {file:o}, directory {directory:o}");
        assert!(fs::read(inside.join("sessions.db")).unwrap() == whole);
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 1, "something was left behind");
    };
    run(0o400, 0o700, &path);
    run(0o000, 0o700, &path);
    run(0o600, 0o500, &path);
    run(0o600, 0o500, &inside.join("new.db"));
}

#[cfg(not(unix))]
fn permissions() {}

async fn read_only(path: &Path) {
    let error = SqliteStore::open(path, ring(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("permissions"), "{error:?}");
}
