//! Connections, deadlines, and how much may be under way.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, RedisError, RedisResult, Value};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use transak_session::store::{StoreError, StoreErrorKind};

use crate::error;
use crate::options::RedisOptions;
use crate::script::Script;

/// So many calls in a row that had no answer in time, and the connection is made anew: the other end may be gone without
/// a word.
const SILENT: u32 = 3;

pub(crate) struct Link {
    kind: Kind,
    /// Those to listen at.
    nodes: Vec<Client>,
    closing: watch::Sender<bool>,
    permits: Semaphore,
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Duration,
}

/// One for each store, so its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Kind {
    Single {
        client: Client,
        config: ConnectionManagerConfig,
        managers: Vec<Slot>,
        next: AtomicUsize,
    },
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster_async::ClusterConnection>),
}

struct Slot {
    manager: Mutex<ConnectionManager>,
    silent: AtomicU32,
}

fn late() -> StoreError {
    StoreError::new("Redis did not answer in time; whether a write has happened is not known")
}

impl Link {
    pub(crate) async fn open(options: &RedisOptions) -> Result<Self, StoreError> {
        let connecting = Self::connect(options);
        let deadline = Instant::now() + options.connect_timeout;
        let kind = match timeout_at(deadline, connecting).await {
            Ok(kind) => kind.map_err(|e| error::of(&e))?,
            Err(_) => return Err(StoreError::new("Redis could not be reached in time")),
        };
        Ok(Self {
            kind,
            nodes: options.clients().map_err(|e| error::of(&e))?,
            closing: watch::Sender::new(false),
            connect_timeout: options.connect_timeout,
            permits: Semaphore::new(options.in_flight),
            deadline: options.deadline,
        })
    }

    async fn connect(options: &RedisOptions) -> RedisResult<Kind> {
        #[cfg(feature = "cluster")]
        if options.cluster {
            return cluster(options)
                .await
                .map(|connection| Kind::Cluster(Box::new(connection)));
        }
        let client = options.client()?;
        // Deadlines are kept here, over all that a call does.
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(None)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_secs(1))
            .set_number_of_retries(3)
            .set_pipeline_buffer_size(options.in_flight);
        let mut managers = Vec::new();
        for _ in 0..options.connections {
            let manager = ConnectionManager::new_with_config(client.clone(), config.clone()).await?;
            managers.push(Slot {
                manager: Mutex::new(manager),
                silent: AtomicU32::new(0),
            });
        }
        Ok(Kind::Single {
            client,
            config,
            managers,
            next: AtomicUsize::new(0),
        })
    }

    /// Until when a call that begins now has to be over.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// Sends one command and waits for its answer.
    pub(crate) async fn ask(&self, command: &Cmd, until: Instant) -> Result<Value, StoreError> {
        self.try_ask(command, until).await?.map_err(|e| error::of(&e))
    }

    /// As [`ask`](Self::ask), with the server's refusal as it came.
    pub(crate) async fn try_ask(&self, command: &Cmd, until: Instant) -> Result<RedisResult<Value>, StoreError> {
        let _permit = match timeout_at(until, self.permits.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(StoreError::new("the store is closed")),
            Err(_) => return Err(StoreError::new("too much is under way; nothing was sent")),
        };
        match &self.kind {
            Kind::Single {
                client,
                config,
                managers,
                next,
            } => {
                let turn = next.fetch_add(1, Ordering::Relaxed) % managers.len().max(1);
                let slot = managers
                    .get(turn)
                    .ok_or_else(|| StoreError::new("there is no connection"))?;
                let mut manager = slot.manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let answer = timeout_at(until, manager.send_packed_command(command)).await;
                let answer = answer.map(|answer| answer.and_then(Value::extract_error));
                let renew = match &answer {
                    Ok(Ok(_)) => {
                        slot.silent.store(0, Ordering::Relaxed);
                        false
                    }
                    // After a failover the name leads elsewhere.
                    Ok(Err(e)) => e.code() == Some("READONLY"),
                    Err(_) => slot.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT,
                };
                if renew {
                    slot.silent.store(0, Ordering::Relaxed);
                    if let Ok(fresh) = ConnectionManager::new_lazy_with_config(client.clone(), config.clone()) {
                        *slot.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                    }
                }
                answer.map_err(|_| late())
            }
            #[cfg(feature = "cluster")]
            Kind::Cluster(connection) => {
                use redis::aio::ConnectionLike as _;
                let mut connection = connection.clone();
                let answer = timeout_at(until, connection.req_packed_command(command)).await;
                answer
                    .map(|answer| answer.and_then(Value::extract_error))
                    .map_err(|_| late())
            }
        }
    }

    /// Runs a script; sends its text only where the server does not know it yet.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
        until: Instant,
    ) -> Result<Vec<Value>, StoreError> {
        let command = |name: &str, text: &str| {
            let mut command = redis::cmd(name);
            command.arg(text).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        let answer = match self.try_ask(&command("EVALSHA", &script.hash), until).await? {
            Err(e) if is_no_script(&e) => self.try_ask(&command("EVAL", script.code), until).await?,
            answer => answer,
        };
        match answer.map_err(|e| error::of(&e))? {
            Value::Array(values) => Ok(values),
            _ => Err(error::strange()),
        }
    }

    /// Asks each primary.
    pub(crate) async fn ask_primaries(&self, command: &Cmd) -> Result<RedisResult<Vec<Value>>, StoreError> {
        match &self.kind {
            Kind::Single { .. } => Ok(self.try_ask(command, self.deadline()).await?.map(|value| vec![value])),
            #[cfg(feature = "cluster")]
            Kind::Cluster(connection) => {
                use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
                let mut connection = connection.clone();
                let to = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let asking = connection.route_command(command.clone(), to);
                let answer = timeout_at(self.deadline(), asking).await.map_err(|_| late())?;
                Ok(answer.and_then(Value::extract_error).map(|value| match value {
                    Value::Map(by_node) => by_node.into_iter().map(|(_, value)| value).collect(),
                    other => vec![other],
                }))
            }
        }
    }

    /// Those to listen at, one after the other until one is there.
    pub(crate) fn nodes(&self) -> &[Client] {
        &self.nodes
    }

    /// Changes when the store is closed, and ends with it.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Nothing is sent any more.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.permits.close();
    }
}

fn is_no_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT")
}

#[cfg(feature = "cluster")]
async fn cluster(options: &RedisOptions) -> RedisResult<redis::cluster_async::ClusterConnection> {
    let mut builder = redis::cluster::ClusterClient::builder(options.nodes()?)
        .retries(4)
        .min_retry_wait(20)
        .max_retry_wait(500)
        .connection_timeout(options.connect_timeout)
        .response_timeout(options.deadline);
    if let Some(certificates) = options.certificates() {
        builder = builder.certs(certificates);
    }
    builder.build()?.get_async_connection().await
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The settings would lose sessions.
pub(crate) fn unsafe_settings(what: &'static str) -> StoreError {
    StoreError::of(StoreErrorKind::Unsafe, what)
}
