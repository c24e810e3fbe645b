//! The statements. Each is complete in itself and commits by itself.
//!
//! `$1` is a test's clock in milliseconds, or null for the server's, wherever a statement needs the time.

use tokio_postgres::types::Type;

/// A statement with the types of its parameters, so that it can be sent with or without preparing it.
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) types: &'static [Type],
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident($($type:ident),*) = $text:literal;)+) => {
        /// All statements, with the schema's name filled in.
        pub(crate) struct Statements {
            $($(#[$doc])* pub(crate) $name: Statement,)+
        }

        impl Statements {
            pub(crate) fn new(schema: &str) -> Self {
                Self {
                    $($name: Statement {
                        text: $text.replace("{t}", NOW).replace("{take}", TAKE).replace("{s}", schema),
                        types: &[$(Type::$type),*],
                    },)+
                }
            }
        }
    };
}

const NOW: &str = "t AS MATERIALIZED
    (SELECT coalesce($1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS now)";

/// Leases what is due and answers with it; always with one row at least, which tells how many were seen.
const TAKE: &str = "taken AS (
        INSERT INTO {s}.lease AS l (key, epoch, taken_at, until)
        SELECT due.key, nextval('{s}.counter'), t.now, t.now + $4 FROM due, t
        ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch, taken_at = excluded.taken_at, until = excluded.until,
            before = l.taken_at
        WHERE l.until <= excluded.taken_at
        RETURNING key, epoch, taken_at - before AS age)
    SELECT d.key, d.version, d.clear, d.sealed, d.epoch, d.age, (SELECT count(*) FROM due)
    FROM t LEFT JOIN (
        SELECT due.*, taken.epoch, taken.age FROM due JOIN taken ON taken.key = due.key) d ON true
    ORDER BY d.place";

statements! {
    load(BYTEA) = "SELECT version, clear, sealed FROM {s}.session WHERE key = $1";

    /// A fresh number for a version.
    number() = "SELECT nextval('{s}.counter')";

    /// Clock, key, version, tenant, live, expires_at, wake_at, seal_key, clear, sealed, epoch to end.
    insert(INT8, BYTEA, INT8, INT8, BOOL, INT8, INT8, BYTEA, BYTEA, BYTEA, INT8) = "WITH {t},
        written AS (
            INSERT INTO {s}.session (key, version, tenant, live, expires_at, wake_at, seal_key, clear, sealed)
            VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO NOTHING RETURNING key),
        ended AS (
            DELETE FROM {s}.lease l USING written, t WHERE l.key = written.key AND l.epoch = $11 AND l.until > t.now)
        SELECT count(*) FROM written";

    /// The same with the expected version at the end.
    update(INT8, BYTEA, INT8, INT8, BOOL, INT8, INT8, BYTEA, BYTEA, BYTEA, INT8, INT8) = "WITH {t},
        written AS (
            UPDATE {s}.session SET version = $3, tenant = $4, live = $5, expires_at = $6, wake_at = $7, seal_key = $8,
                clear = $9, sealed = $10
            WHERE key = $2 AND version = $12 RETURNING key),
        ended AS (
            DELETE FROM {s}.lease l USING written, t WHERE l.key = written.key AND l.epoch = $11 AND l.until > t.now)
        SELECT count(*) FROM written";

    delete(BYTEA) = "DELETE FROM {s}.session WHERE key = $1";

    /// Clock, key, span. A row if it was granted.
    claim(INT8, BYTEA, INT8) = "WITH {t}
        INSERT INTO {s}.lease AS l (key, epoch, taken_at, until)
        SELECT $2, nextval('{s}.counter'), t.now, t.now + $3 FROM t
        ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch, taken_at = excluded.taken_at, until = excluded.until,
            before = l.taken_at
        WHERE l.until <= excluded.taken_at
        RETURNING epoch, taken_at - before";

    /// What a claim reads once the lease is its own, by a snapshot of its own. Clock, key.
    look(INT8, BYTEA) = "WITH {t}
        SELECT s.version, s.clear, s.sealed, l.until - t.now
        FROM t LEFT JOIN {s}.session s ON s.key = $2 LEFT JOIN {s}.lease l ON l.key = $2";

    /// Clock, key, epoch, span.
    extend(INT8, BYTEA, INT8, INT8) = "WITH {t}
        UPDATE {s}.lease l SET until = t.now + $4 FROM t WHERE l.key = $2 AND l.epoch = $3 AND l.until > t.now";

    /// Clock, key, epoch.
    release(INT8, BYTEA, INT8) = "WITH {t}
        DELETE FROM {s}.lease l USING t WHERE l.key = $2 AND l.epoch = $3 AND l.until > t.now";

    /// Clock, tenant, limit, span, least remaining life (null for any), most. By expiry.
    due_by_expiry(INT8, INT8, INT8, INT8, INT8, INT8) = "WITH {t},
        due AS MATERIALIZED (
            SELECT s.key, s.version, s.clear, s.sealed, s.expires_at AS place FROM {s}.session s
            WHERE s.live AND s.tenant = $2
                AND s.expires_at >= (SELECT coalesce(now + $5, -9223372036854775808) FROM t)
                AND s.expires_at < (SELECT now + $6 FROM t) AND s.wake_at <= (SELECT now FROM t)
                AND NOT EXISTS (SELECT 1 FROM {s}.lease l WHERE l.key = s.key AND l.until > (SELECT now FROM t))
            ORDER BY s.expires_at LIMIT $3
            FOR UPDATE OF s SKIP LOCKED),
        {take}";

    /// Clock, tenant, limit, span, least remaining life. By wake time.
    due_by_wake(INT8, INT8, INT8, INT8, INT8) = "WITH {t},
        due AS MATERIALIZED (
            SELECT s.key, s.version, s.clear, s.sealed, s.wake_at AS place FROM {s}.session s
            WHERE s.live AND s.tenant = $2 AND s.wake_at <= (SELECT now FROM t)
                AND s.expires_at >= (SELECT now + $5 FROM t)
                AND NOT EXISTS (SELECT 1 FROM {s}.lease l WHERE l.key = s.key AND l.until > (SELECT now FROM t))
            ORDER BY s.wake_at LIMIT $3
            FOR UPDATE OF s SKIP LOCKED),
        {take}";

    /// Clock, tenant, horizons. All counts are of one moment.
    forecast(INT8, INT8, INT8_ARRAY) = "WITH {t}
        SELECT
            (SELECT count(*) FROM {s}.session s WHERE s.live AND s.tenant = $2),
            (SELECT count(*) FROM {s}.session s WHERE s.live AND s.tenant = $2 AND s.wake_at <= t.now),
            ARRAY(
                SELECT (SELECT count(*) FROM {s}.session s WHERE s.live AND s.tenant = $2 AND s.expires_at <=
                    CASE WHEN h.span < 9007199254740992 THEN t.now + h.span ELSE 9223372036854775807 END)
                FROM unnest($3) WITH ORDINALITY AS h (span, place) ORDER BY h.place)
        FROM t";

    /// Clock, tenant, rate, most, wanted. `h` is what the bucket holds now.
    draw(INT8, INT8, FLOAT8, FLOAT8, INT8) = "WITH {t}
        INSERT INTO {s}.pace AS p (tenant, permits, filled_at, granted)
        SELECT $2, $4 - least(floor($4), $5), t.now, least(floor($4), $5)::bigint FROM t
        ON CONFLICT (tenant) DO UPDATE SET (permits, filled_at, granted) = (
            SELECT h.held - least(floor(h.held), $5),
                CASE WHEN excluded.filled_at > p.filled_at OR p.filled_at - excluded.filled_at > 2000
                    THEN excluded.filled_at ELSE p.filled_at END,
                least(floor(h.held), $5)::bigint
            FROM (SELECT greatest(least(
                p.permits + greatest(excluded.filled_at - p.filled_at, 0) / 1000.0::float8 * $3, $4), 0) AS held) h)
        RETURNING granted, least(ceil(greatest(1 - permits, 0) / $3 * 1000), 9007199254740992)::bigint";

    /// Tenant, permits. The next draw cuts what is too much.
    give_back(INT8, INT8) = "UPDATE {s}.pace SET permits = permits + $2 WHERE tenant = $1";

    /// Channel, texts.
    tell(TEXT, TEXT_ARRAY) = "SELECT pg_notify($1, told) FROM unnest($2) AS told";

    /// A page of records after a key; those that the current key has sealed without their content. Key, limit, seal key.
    page(BYTEA, INT8, BYTEA) = "SELECT key, version, CASE WHEN seal_key <> $3 THEN clear END,
            CASE WHEN seal_key <> $3 THEN sealed END
        FROM {s}.session WHERE key > $1 ORDER BY key LIMIT $2";

    /// Keys, versions, old and new sealed parts, new seal key.
    reseal(BYTEA_ARRAY, INT8_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY, BYTEA) = "UPDATE {s}.session s SET sealed = n.new, seal_key = $5
        FROM unnest($1, $2, $3, $4) AS n (key, version, old, new)
        WHERE s.key = n.key AND s.version = n.version AND s.sealed = n.old";

    note(TEXT) = "SELECT value FROM {s}.meta WHERE name = $1";

    write_note(TEXT, BYTEA) = "INSERT INTO {s}.meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

    renew_note(TEXT, BYTEA, BYTEA) = "UPDATE {s}.meta SET value = $3 WHERE name = $1 AND value = $2";

    /// Clock, how long expired, limit.
    forget_sessions(INT8, INT8, INT8) = "WITH {t},
        gone AS MATERIALIZED (
            SELECT s.key FROM {s}.session s WHERE s.expires_at <= (SELECT now - $2 FROM t)
                AND NOT EXISTS (SELECT 1 FROM {s}.lease l WHERE l.key = s.key AND l.until > (SELECT now FROM t))
            ORDER BY s.expires_at LIMIT $3
            FOR UPDATE OF s SKIP LOCKED),
        ended AS (DELETE FROM {s}.lease l USING gone, t WHERE l.key = gone.key AND l.until <= t.now)
        DELETE FROM {s}.session s USING gone WHERE s.key = gone.key";

    /// Clock, how long lapsed, limit.
    forget_leases(INT8, INT8, INT8) = "WITH {t}
        DELETE FROM {s}.lease l USING t WHERE l.until <= t.now - $2
            AND l.key = ANY (ARRAY(SELECT o.key FROM {s}.lease o, t WHERE o.until <= t.now - $2 LIMIT $3))";
}
