//! Opening: everything that can be wrong with a file is found before anything is written to it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::readers::Readers;
use super::writer::Writer;
use super::{Inner, SqliteOptions, SqliteStore, schema};
use crate::store::seal::{Sealer, open_note, seal_note};
use crate::store::{StoreError, StoreErrorKind};

/// The sealed text that shows whether the keys fit, by its name.
pub(super) const KEY_CHECK: &str = "key check";

pub(super) fn open(path: PathBuf, options: SqliteOptions) -> Result<SqliteStore, StoreError> {
    if is_missing(&path)? {
        create(&path, &options)?;
    }
    // SQLite follows links, and puts its log beside what they lead to.
    let path = fs::canonicalize(path).map_err(|e| StoreError::caused_by("the file cannot be looked at", e))?;
    probe(&path)?;
    may_write(&path)?;
    for part in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        restrict(&part)?;
    }
    let db = connect(&path, &options)?;
    // Until the file is known to be ours and readable, closing it must not move its log into it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log(&path))?;
    schema::check(&db)?;
    check_key(&db, &*options.sealer)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    prepare(&db, &options)?;
    let mut readers = Vec::with_capacity(options.readers);
    for _ in 0..options.readers {
        let reader = connect(&path, &options)?;
        reader.pragma_update(None, "query_only", true)?;
        readers.push(reader);
    }
    let SqliteOptions {
        sealer, clock, queue, ..
    } = options;
    Ok(SqliteStore {
        inner: Arc::new(Inner {
            path,
            writer: Writer::start(db, Arc::clone(&sealer), Arc::clone(&clock), queue)?,
            readers: Readers::new(readers),
            sealer,
            clock,
            pass: Mutex::default(),
        }),
    })
}

/// Whether there is nothing at all at this path. What is there has to be a file that is not empty.
fn is_missing(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(StoreError::new("the path leads to something that is not a file")),
        // SQLite would take it for a new database. A store never is: it appears whole or not at all.
        Ok(there) if there.len() == 0 => Err(StoreError::of(
            StoreErrorKind::Corrupt,
            "the file is empty, which no store ever is; restore it from a copy, or remove it to begin anew",
        )),
        Ok(_) => Ok(false),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(StoreError::caused_by("the file cannot be looked at", e)),
    }
}

/// Looks at the file without a lock, a log or any other trace, so that files of others stay as they are.
fn probe(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let probed = Connection::open_with_flags(immutable(path), flags)
        .map_err(StoreError::from)
        .and_then(|db| {
            schema::check(&db)?;
            whole_pages(&db, path)
        });
    match probed {
        // A crash while the log was being moved leaves a file that is whole only together with its log.
        Err(e) if e.kind() == StoreErrorKind::Corrupt && has_log(path) && is_damage(&e) => Ok(()),
        other => other,
    }
}

/// SQLite notices itself when whole pages are missing.
fn whole_pages(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let length = fs::metadata(path).map(|there| there.len());
    let page = u64::try_from(page).unwrap_or(0).max(1);
    if has_log(path) || length.is_ok_and(|length| length % page == 0) {
        return Ok(());
    }
    Err(StoreError::of(
        StoreErrorKind::Corrupt,
        "the file is cut off; restore it from a copy, or move it away to begin anew",
    ))
}

/// Whether it is at least damage within an SQLite database.
fn is_damage(error: &StoreError) -> bool {
    let cause = std::error::Error::source(error).and_then(|e| e.downcast_ref::<rusqlite::Error>());
    cause.and_then(rusqlite::Error::sqlite_error_code) == Some(rusqlite::ErrorCode::DatabaseCorrupt)
}

fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn immutable(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            // Writing to a string does not fail.
            other => write!(uri, "%{other:02x}").unwrap_or_default(),
        }
    }
    uri + "?immutable=1"
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(options.busy_timeout)?;
    db.set_prepared_statement_cache_capacity(64);
    // What an old key has sealed is gone from the file when a new one has sealed it again.
    db.pragma_update(None, "secure_delete", true)?;
    // The flush that macOS does not call one.
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    Ok(db)
}

fn prepare(db: &Connection, options: &SqliteOptions) -> Result<(), StoreError> {
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let what = "the file is on a file system that cannot hold SQLite's write-ahead log; choose a local disk";
        return Err(StoreError::of(StoreErrorKind::Unsafe, what));
    }
    db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        db.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    }
    if schema::layout(db)? < schema::LAYOUT {
        let transaction = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        schema::check(&transaction)?;
        schema::migrate(&transaction)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Makes a whole store under another name and gives it this one, unless the name was taken meanwhile.
fn create(path: &Path, options: &SqliteOptions) -> Result<(), StoreError> {
    let directory = directory_of(path);
    if !directory.is_dir() {
        return Err(StoreError::new(
            "the directory of the file does not exist; make it first",
        ));
    }
    if beside(path, "-wal").exists() {
        return Err(StoreError::of(
            StoreErrorKind::Unsafe,
            "there is a write-ahead log (-wal) but not the file it belongs to; restore the file, or remove the log",
        ));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| StoreError::new("the operating system gave no random numbers"))?;
    let draft = Draft(beside(path, &format!(".new-{:016x}", u64::from_ne_bytes(random))));
    let cannot = |e| StoreError::caused_by("the file cannot be made: check the permissions of its directory", e);
    make(&draft.0).map_err(cannot)?;
    let db = connect(&draft.0, options)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let transaction = rusqlite::Transaction::new_unchecked(&db, TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    schema::migrate(&transaction)?;
    write_key_check(&transaction, &*options.sealer)?;
    transaction.commit()?;
    db.close().map_err(|(_, e)| e)?;
    match fs::hard_link(&draft.0, path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(cannot(e)),
        Ok(()) => {
            // So that the name survives a crash as well. Not every file system knows how.
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
            Ok(())
        }
    }
}

/// A file that is removed again, with what SQLite puts beside it.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        for part in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&self.0, part));
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes an empty file for its owner only, whatever the process's mask says.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options
            .mode(0o600)
            .open(path)?
            .set_permissions(fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(path).map(drop)
}

/// SQLite would open a file that it may only read, and leave a log and an index beside it. Asked of the system, because
/// opening and closing the file here would end the locks that this process holds on it.
#[cfg(unix)]
fn may_write(path: &Path) -> Result<(), StoreError> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    let may = |path: &Path, what| accessat(CWD, path, what, AtFlags::EACCESS);
    let cannot = |what, e: rustix::io::Errno| StoreError::caused_by(what, io::Error::from(e));
    may(path, Access::READ_OK | Access::WRITE_OK)
        .map_err(|e| cannot("the file cannot be read and written: check its permissions", e))?;
    may(directory_of(path), Access::WRITE_OK | Access::EXEC_OK).map_err(|e| {
        let what = "the directory of the file cannot be written, which SQLite's log needs: check its permissions";
        cannot(what, e)
    })
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path).is_ok_and(|there| there.permissions().readonly()) {
        true => Err(StoreError::new("the file cannot be written: check its permissions")),
        false => Ok(()),
    }
}

/// Lets nobody but the owner read or write a file, if it is there. SQLite gives its log and index the same permissions.
#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(there) = fs::metadata(path) else {
        return Ok(());
    };
    // Not owner bits: a file that was made read-only stays so.
    let mode = there.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)).map_err(|e| {
        let what =
            "others may read the file, and its permissions cannot be changed; make it its owner's only (chmod 600)";
        StoreError::of(StoreErrorKind::Unsafe, what).because(e)
    })
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Whether the keys open what the file was sealed with; returns the sealed text.
pub(super) fn check_key(db: &Connection, sealer: &dyn Sealer) -> Result<Vec<u8>, StoreError> {
    let sealed: Vec<u8> = db
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([KEY_CHECK], |row| row.get(0))?;
    match open_note(sealer, KEY_CHECK, &sealed) {
        Ok(_) => Ok(sealed),
        Err(e) if e.kind() == StoreErrorKind::WrongKey => Err(StoreError::of(
            StoreErrorKind::WrongKey,
            "the file was sealed with a key that was not given; open it with that key, or add it as an older one",
        )
        .because(e)),
        Err(e) => Err(e),
    }
}

pub(super) fn write_key_check(db: &Connection, sealer: &dyn Sealer) -> Result<(), StoreError> {
    let sealed = seal_note(sealer, KEY_CHECK, b"")?;
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![KEY_CHECK, sealed])?;
    Ok(())
}
