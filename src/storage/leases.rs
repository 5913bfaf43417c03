//! Leases: what only one process may do at a time. On SQLite there is one process, so a lease is always had;
//! on PostgreSQL it runs by the server's clock.

use std::time::Duration;

use super::{Conn, Result};
use crate::domain::clock::millis;

impl Conn {
    /// Takes or renews a lease for `span`; `false` when another holds it.
    pub async fn take_lease(&mut self, name: &str, holder: &str, span: Duration) -> Result<bool> {
        let Self::Postgres(conn) = self else {
            return Ok(true);
        };
        let span = millis(span);
        let rows = sqlx::query(
            "INSERT INTO leases (name, holder, until)
             VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE leases.holder = excluded.holder
                OR leases.until <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        )
        .bind(name)
        .bind(holder)
        .bind(span)
        .execute(&mut **conn)
        .await?
        .rows_affected();
        Ok(rows == 1)
    }

    /// Gives a lease back.
    pub async fn release_lease(&mut self, name: &str, holder: &str) -> Result<()> {
        if let Self::Postgres(conn) = self {
            sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2")
                .bind(name)
                .bind(holder)
                .execute(&mut **conn)
                .await?;
        }
        Ok(())
    }
}
