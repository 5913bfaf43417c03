//! What waits of an account, and how each engine finds it beside all that is past.
//!
//! `PostgreSQL` keeps an index of it. `SQLite` would write a page of such an index for nearly every message that is sent, which
//! costs a fifth of all; there it is found in the index of all of an account's messages, from the first on that can wait. That is
//! what [`since`] says: what waits to go by itself is due at its moment, and of all such the first is known; what is being sent has
//! an index that no account's pages are in; and what is held, late or in doubt, or was put off, has one that a message which goes as
//! planned never enters. One that nobody answers for months has the lists of its account walk along all that was sent since, 0.3
//! microseconds for each; what is read for sending does not ([`due_since`]).

/// The first of what goes as planned, of what is being sent, and of what stands aside and fits `$aside`. Each names its index: a
/// planner that knows of few accounts and many messages would sort all that waits instead.
macro_rules! first_of {
    ($aside:literal) => {
        concat!(
            "MIN(COALESCE((SELECT q.due_at FROM scheduled_messages q INDEXED BY scheduled_messages_due
                           WHERE q.status = 'scheduled' AND NOT EXISTS (SELECT 1 FROM users a
                               WHERE a.id = q.user_id AND a.id <> $1 AND a.disabled_at IS NOT NULL)
                           ORDER BY q.due_at, q.id LIMIT 1), 9223372036854775807),
                 COALESCE((SELECT MIN(q.scheduled_time) FROM scheduled_messages q INDEXED BY scheduled_messages_leased
                           WHERE q.status = 'sending' AND q.user_id + 0 = $1), 9223372036854775807),
                 COALESCE((SELECT q.scheduled_time FROM scheduled_messages q INDEXED BY scheduled_messages_aside
                           WHERE q.user_id = $1 AND (q.status = 'held' OR q.status = 'late' OR q.status = 'unknown'
                                OR (q.status = 'scheduled' AND q.due_at <> q.scheduled_time))",
            $aside,
            "      ORDER BY q.scheduled_time LIMIT 1), 9223372036854775807))"
        )
    };
}
pub(super) use first_of;

/// Where what waits of the account `$1` begins, on `SQLite`: no message `m` of it waits whose moment is before. Messages of
/// accounts that are closed may be due for ever, so they are left out of it, but for that account's own.
macro_rules! since {
    () => {
        $crate::storage::waits::first_of!("")
    };
}
pub(super) use since;

/// The same of what goes by itself: what is scheduled or being sent.
macro_rules! due_since {
    () => {
        $crate::storage::waits::first_of!(" AND q.status || '' = 'scheduled' ")
    };
}
pub(super) use due_since;

/// Runs a statement over what waits of the account `$1`, or `due`: over what of it goes by itself. Its message is `m`; the
/// condition stands between `$before` and `$after`.
macro_rules! over_waiting {
    ($conn:expr, due $before:expr, $after:expr, $c:ident, $sql:ident => $body:expr) => {
        $crate::storage::waits::over_waiting!($conn, $crate::storage::waits::due_since!(), $before,
            concat!("AND m.status IN ('scheduled', 'sending') ", $after), $c, $sql => $body)
    };
    ($conn:expr, $before:expr, $after:expr, $c:ident, $sql:ident => $body:expr) => {
        $crate::storage::waits::over_waiting!($conn, $crate::storage::waits::since!(), $before, $after, $c, $sql => $body)
    };
    ($conn:expr, $since:expr, $before:expr, $after:expr, $c:ident, $sql:ident => $body:expr) => {
        match $conn {
            Conn::Sqlite(conn) => {
                let $c = &mut **conn;
                let $sql = concat!(
                    $before,
                    " m.user_id = $1 AND m.status IN ('scheduled', 'sending', 'held', 'late', 'unknown') AND m.scheduled_time >= ",
                    $since,
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
