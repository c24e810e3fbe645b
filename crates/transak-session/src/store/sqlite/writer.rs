//! The one thread that writes, and how many writes share a flush of the disk.

use std::sync::Arc;
use std::thread;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::ops;
use super::schema;
use crate::clock::{Clock, Timestamp};
use crate::store::seal::{KeyId, Sealer};
use crate::store::{Lease, StoreError, StoreErrorKind};

/// At most so many writes share a transaction.
const BATCH: usize = 256;

/// What the work of a transaction may use.
pub(super) struct Batch<'a> {
    db: &'a Connection,
    sealer: &'a dyn Sealer,
    now: Timestamp,
    counter: i64,
}

impl Batch<'_> {
    pub(super) fn db(&self) -> &Connection {
        self.db
    }

    pub(super) fn sealer(&self) -> &dyn Sealer {
        self.sealer
    }

    /// The store's time, read when this transaction had the file for itself.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// A number that no version and no epoch in this file has had, also as a column.
    pub(super) fn next(&mut self) -> Result<(u64, i64), StoreError> {
        let used_up = || StoreError::of(StoreErrorKind::Corrupt, "the file's counter is used up");
        self.counter = self.counter.checked_add(1).ok_or_else(used_up)?;
        Ok((ops::number(self.counter)?, self.counter))
    }

    /// The short number under which the file knows a sealing key.
    pub(super) fn seal_key(&self, key: KeyId) -> Result<i64, StoreError> {
        let mut known = self.db.prepare_cached("SELECT id FROM seal_key WHERE name = ?1")?;
        if let Some(id) = known.query_row([key.as_bytes()], |row| row.get(0)).optional()? {
            return Ok(id);
        }
        self.db
            .prepare_cached("INSERT INTO seal_key (name) VALUES (?1)")?
            .execute([key.as_bytes()])?;
        Ok(self.db.last_insert_rowid())
    }
}

/// Something to be done in a transaction. It may have to be done again, if the transaction fails because of another.
trait Job: Send {
    /// Whether nobody waits for it any more.
    fn forsaken(&self) -> bool;
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError>;
    /// Answers. Returns leases that were taken for somebody who has gone.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) -> Vec<Lease>;
}

struct Task<T, W> {
    work: W,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    orphaned: fn(T) -> Vec<Lease>,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send,
{
    fn forsaken(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        self.done = Some((self.work)(batch)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) -> Vec<Lease> {
        let Self {
            done, reply, orphaned, ..
        } = *self;
        let unknown = || StoreError::new("the write was not attempted");
        match reply.send(outcome.and_then(|()| done.ok_or_else(unknown))) {
            Err(Ok(done)) => orphaned(done),
            Ok(()) | Err(Err(_)) => Vec::new(),
        }
    }
}

enum Message {
    Do(Box<dyn Job>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// The way to the writing thread, which ends when this is dropped.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    pub(super) fn start(
        db: Connection,
        sealer: Arc<dyn Sealer>,
        clock: Arc<dyn Clock>,
        capacity: usize,
    ) -> Result<Self, StoreError> {
        let (queue, inbox) = mpsc::channel(capacity);
        let desk = Desk { db, sealer, clock };
        thread::Builder::new()
            .name("transak-sqlite".to_owned())
            .spawn(move || desk.serve(inbox))
            .map_err(|e| StoreError::caused_by("the writing thread could not be started", e))?;
        Ok(Self { queue })
    }

    /// Does `work` in a transaction and answers when that is on the disk. Dropped while it waits for a place in the queue,
    /// nothing happens; dropped later, the work happens or not, and leases it took (`orphaned` names them) are given back.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
        orphaned: fn(T) -> Vec<Lease>,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            work,
            done: None,
            reply,
            orphaned,
        };
        self.queue
            .send(Message::Do(Box::new(task)))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_err() {
            return Ok(());
        }
        answer.await.unwrap_or(Ok(()))
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::new("the store was closed")
}

struct Desk {
    db: Connection,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
}

impl Desk {
    fn serve(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut closing = Vec::new();
        let mut jobs = Vec::new();
        while let Some(first) = inbox.blocking_recv() {
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Do(job) if job.forsaken() => {}
                    Message::Do(job) => jobs.push(job),
                    Message::Close(reply) => {
                        // What is in the queue is still done; nothing more gets in.
                        inbox.close();
                        closing.push(reply);
                    }
                }
                next = if jobs.len() < BATCH {
                    inbox.try_recv().ok()
                } else {
                    None
                };
            }
            self.do_all(std::mem::take(&mut jobs));
        }
        let folded = self.fold();
        drop(self.db);
        let mut folded = Some(folded);
        for reply in closing {
            let _ = reply.send(folded.take().unwrap_or(Ok(())));
        }
    }

    fn do_all(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let together = self.transact(&mut jobs);
        let mut orphans = Vec::new();
        match together {
            Ok(()) => {
                for job in jobs {
                    orphans.extend(job.finish(Ok(())));
                }
            }
            // One of many failed and took the others with it: each gets a transaction of its own.
            Err(_) if jobs.len() > 1 => {
                for job in jobs {
                    let mut alone = [job];
                    let outcome = self.transact(&mut alone);
                    let [job] = alone;
                    orphans.extend(job.finish(outcome));
                }
            }
            Err(error) => {
                if let Some(job) = jobs.pop() {
                    job.finish(Err(error));
                }
            }
        }
        // If this fails, the leases end by themselves.
        let _ = match orphans.is_empty() {
            true => Ok(()),
            false => self.give_back(&orphans),
        };
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.within(|batch| jobs.iter_mut().try_for_each(|job| job.run(batch)))
    }

    fn give_back(&mut self, leases: &[Lease]) -> Result<(), StoreError> {
        self.within(|batch| leases.iter().try_for_each(|lease| ops::release(batch, lease)))
    }

    fn within(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been updated meanwhile.
        schema::check(&transaction)?;
        let before = counter(&transaction)?;
        let mut batch = Batch {
            db: &transaction,
            sealer: &*self.sealer,
            now: self.clock.now(),
            counter: before,
        };
        work(&mut batch)?;
        let after = batch.counter;
        if after != before {
            transaction
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'counter'")?
                .execute(params![after])?;
        }
        Ok(transaction.commit()?)
    }

    /// Moves the log into the file.
    fn fold(&self) -> Result<(), StoreError> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

fn counter(db: &Connection) -> Result<i64, StoreError> {
    let mut statement = db.prepare_cached("SELECT value FROM meta WHERE name = 'counter'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
