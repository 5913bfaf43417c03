//! Makes the occurrences of series ahead of their moments. What is made then goes the way of every message.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::clock::Clock;
use crate::services::series::AllSeries;

/// The net below the planned moments: for what another replica or a short command changed.
const NET: Duration = Duration::from_secs(600);
/// Until the next try when the store failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Runs until the program is to stop.
pub async fn run(series: AllSeries, clock: Clock, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        // Reckoned from before the look, so that time that passes meanwhile delays nothing.
        let (now, since) = (clock.now(), clock.pause_now());
        let next = match series.make_due().await {
            Ok(next) => next.map_or(NET, |at| at.since(now).min(NET)),
            Err(error) => {
                tracing::warn!(error = %error, "occurrences of series could not be made yet");
                AGAIN
            }
        };
        tokio::select! {
            () = clock.pause_until(since.plus(next)) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
