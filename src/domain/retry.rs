//! When to try again: a pure value.

use std::time::Duration;

/// Exponential backoff with jitter (RELIABILITY.md section 2: 5 s to 5 min).
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { first: Duration::from_secs(5), longest: Duration::from_secs(300) }
    }
}

impl RetryPolicy {
    /// How long to wait after try number `tries` (from 1). `jitter` in 0..1 moves it by up to a quarter down.
    pub fn wait(self, tries: u32, jitter: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1).min(16)).unwrap_or(u32::MAX));
        doubled.min(self.longest).mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_five_seconds_to_five_minutes() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(1, 0.0), Duration::from_secs(5));
        assert_eq!(policy.wait(3, 0.0), Duration::from_secs(20));
        assert_eq!(policy.wait(60, 0.0), Duration::from_secs(300));
        assert!(policy.wait(60, 1.0) >= Duration::from_secs(225));
    }
}
