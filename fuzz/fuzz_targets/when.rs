//! Any text, in any language, at any moment: the reader of times neither panics nor loops, and the rules of its
//! repetitions are understood.
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none when -- -max_total_time=600`
#![no_main]

use libfuzzer_sys::fuzz_target;
use schedulezap::domain::language::Language;
use schedulezap::when;

fuzz_target!(|data: &[u8]| {
    let Some((head, text)) = data.split_at_checked(9) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let language = [Language::Portuguese, Language::English, Language::Spanish][usize::from(head[0] % 3)];
    let seconds = i64::from_le_bytes(head[1..9].try_into().unwrap_or_default()).rem_euclid(4_000_000_000);
    let zones = [chrono_tz::America::Sao_Paulo, chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe];
    let zone = zones[usize::from(head[0] / 3 % 3)];
    let Some(now) = chrono::DateTime::from_timestamp(seconds, 0) else { return };
    let now = now.with_timezone(&zone);
    // A repetition has a first moment, and its rule is understood.
    if let when::Meaning::Every(every) = when::read(text, now, language).meaning {
        let start = every.first.naive_local();
        let first = when::next_after(&every.rule, start, zone, now);
        assert!(first.is_some(), "{text:?}: {}", every.rule);
    }
    let _ = when::split(text, now, language);
});
