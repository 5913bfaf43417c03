//! What waits of an account, and how each engine finds it beside all that is past.
//!
//! `PostgreSQL` keeps an index of it. `SQLite` would write a page of such an index for nearly every message that is sent, which
//! costs a fifth of all; there it is found in the index of all of an account's messages, from the first on that can wait. That is
//! what [`since`] says: what waits to go by itself is due at its moment, and of all such the first is known; what is being sent,
//! what is held, late or in doubt, and what was put off have indexes of their own, which a message that goes as planned never
//! enters.

/// Where what waits of the account `$1` begins, on `SQLite`: no message `m` of it waits whose moment is before. Messages of
/// accounts that are closed may be due for ever, so they are left out of it, but for that account's own.
macro_rules! since {
    () => {
        "MIN(COALESCE((SELECT q.due_at FROM scheduled_messages q JOIN users a ON a.id = q.user_id
                       WHERE q.status = 'scheduled' AND (a.disabled_at IS NULL OR a.id = $1)
                       ORDER BY q.due_at, q.id LIMIT 1), 9223372036854775807),
             COALESCE((SELECT MIN(q.scheduled_time) FROM scheduled_messages q
                       WHERE q.status = 'sending' AND q.user_id + 0 = $1), 9223372036854775807),
             COALESCE((SELECT q.scheduled_time FROM scheduled_messages q WHERE q.user_id = $1
                       AND (q.status = 'held' OR q.status = 'late' OR q.status = 'unknown'
                            OR (q.status = 'scheduled' AND q.due_at <> q.scheduled_time))
                       ORDER BY q.scheduled_time LIMIT 1), 9223372036854775807))"
    };
}
pub(super) use since;

/// Runs a statement over what waits of the account `$1`; its message is `m`. The condition stands between `$before` and `$after`.
macro_rules! over_waiting {
    ($conn:expr, $before:expr, $after:expr, $c:ident, $sql:ident => $body:expr) => {
        match $conn {
            Conn::Sqlite(conn) => {
                let $c = &mut **conn;
                let $sql = concat!(
                    $before,
                    " m.user_id = $1 AND m.status IN ('scheduled', 'sending', 'held', 'late', 'unknown') AND m.scheduled_time >= ",
                    $crate::storage::waits::since!(),
                    " ",
                    $after
                );
                $body
            }
            Conn::Postgres(conn) => {
                let $c = &mut **conn;
                let $sql = concat!(
                    $before,
                    " m.user_id = $1 AND m.status IN ('scheduled', 'sending', 'held', 'late', 'unknown') ",
                    $after
                );
                $body
            }
        }
    };
}
pub(super) use over_waiting;

#[cfg(test)]
mod tests;
