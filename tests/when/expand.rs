//! Repetitions as tables: a rule, a start and a zone in, the moments out. `>` marks one that moved over a gap.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use schedulezap::domain::language::Language;
use schedulezap::when::{Meaning, next_after, read};

use super::wednesday;

fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a wall time")
}

/// The first `n` moments after one, each with its offset from UTC.
fn moments(rule: &str, start: &str, zone: Tz, mut after: DateTime<Tz>, n: usize) -> Vec<String> {
    let mut list = Vec::new();
    while list.len() < n {
        let Some(next) = next_after(rule, wall(start), zone, after) else {
            list.push("end".to_owned());
            break;
        };
        assert!(next.at > after, "{rule}");
        let mark = if next.moved { ">" } else { "" };
        assert_eq!(next.moved, next.wall != next.at.naive_local(), "{rule}");
        list.push(format!("{mark}{}", next.at.format("%m-%d %H:%M%:z")));
        after = next.at;
    }
    list
}

/// Checks the first moments of a repetition, from before its start.
fn check(rule: &str, start: &str, zone: Tz, want: &[&str]) {
    let before = zone.from_utc_datetime(&(wall(start) - Duration::days(3)));
    assert_eq!(moments(rule, start, zone, before, want.len()), want, "{rule}");
}

const NEW_YORK: Tz = chrono_tz::America::New_York;

#[test]
fn wall_time_is_kept_as_clocks_change() {
    let rule = "FREQ=DAILY;BYHOUR=9;BYMINUTE=0";
    check(rule, "2027-03-13 09:00", NEW_YORK, &["03-13 09:00-05:00", "03-14 09:00-04:00", "03-15 09:00-04:00"]);
    check(rule, "2027-11-06 09:00", NEW_YORK, &["11-06 09:00-04:00", "11-07 09:00-05:00"]);
    check(
        "FREQ=WEEKLY;BYDAY=SU;BYHOUR=9;BYMINUTE=0",
        "2027-03-07 09:00",
        NEW_YORK,
        &["03-07 09:00-05:00", "03-14 09:00-04:00"],
    );
}

#[test]
fn a_time_that_does_not_exist_moves_forward_that_day_only() {
    check(
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=30",
        "2027-03-13 02:30",
        NEW_YORK,
        &["03-13 02:30-05:00", ">03-14 03:30-04:00", "03-15 02:30-04:00"],
    );
    check("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2027-03-14 02:30", NEW_YORK, &[">03-14 03:30-04:00"]);
    check(
        "FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
        "2026-09-05 00:00",
        chrono_tz::America::Santiago,
        &["09-05 00:00-04:00", ">09-06 01:00-03:00", "09-07 00:00-03:00"],
    );
    check(
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=15",
        "2026-10-03 02:15",
        chrono_tz::Australia::Lord_Howe,
        &["10-03 02:15+10:30", ">10-04 02:45+11:00", "10-05 02:15+11:00"],
    );
    check(
        "FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
        "2018-11-03 00:00",
        chrono_tz::America::Sao_Paulo,
        &["11-03 00:00-03:00", ">11-04 01:00-02:00", "11-05 00:00-02:00"],
    );
    // Samoa had no 30 December 2011: its moment is the next day's.
    check(
        "FREQ=DAILY;BYHOUR=9;BYMINUTE=0",
        "2011-12-29 09:00",
        chrono_tz::Pacific::Apia,
        &["12-29 09:00-10:00", ">12-31 09:00+14:00", "01-01 09:00+14:00"],
    );
    // Two times of a day that fall together happen once.
    check(
        "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30",
        "2027-03-14 02:30",
        NEW_YORK,
        &["03-14 03:30-04:00", "03-15 02:30-04:00", "03-15 03:30-04:00"],
    );
}

#[test]
fn a_time_that_comes_twice_happens_once() {
    check(
        "FREQ=DAILY;BYHOUR=1;BYMINUTE=30",
        "2027-11-06 01:30",
        NEW_YORK,
        &["11-06 01:30-04:00", "11-07 01:30-04:00", "11-08 01:30-05:00"],
    );
}

#[test]
fn hours_and_minutes_are_time_that_passes() {
    check(
        "FREQ=HOURLY",
        "2027-03-14 00:30",
        NEW_YORK,
        &["03-14 00:30-05:00", "03-14 01:30-05:00", "03-14 03:30-04:00", "03-14 04:30-04:00"],
    );
    check(
        "FREQ=HOURLY",
        "2027-11-07 00:30",
        NEW_YORK,
        &["11-07 00:30-04:00", "11-07 01:30-04:00", "11-07 01:30-05:00", "11-07 02:30-05:00"],
    );
    check(
        "FREQ=MINUTELY;INTERVAL=45",
        "2027-03-14 01:30",
        NEW_YORK,
        &["03-14 01:30-05:00", "03-14 03:15-04:00", "03-14 04:00-04:00"],
    );
    check(
        "FREQ=MINUTELY;INTERVAL=30;COUNT=2",
        "2026-03-11 10:00",
        NEW_YORK,
        &["03-11 10:00-04:00", "03-11 10:30-04:00", "end"],
    );
    check(
        "FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10,12;COUNT=4",
        "2026-03-11 08:00",
        NEW_YORK,
        &["03-11 08:00-04:00", "03-11 10:00-04:00", "03-11 12:00-04:00", "03-12 08:00-04:00", "end"],
    );
}

#[test]
fn months_without_the_day_are_left_out() {
    let zone = chrono_tz::America::Sao_Paulo;
    check(
        "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9;BYMINUTE=0",
        "2026-01-31 09:00",
        zone,
        &["01-31 09:00-03:00", "03-31 09:00-03:00", "05-31 09:00-03:00"],
    );
    check("FREQ=MONTHLY", "2026-01-30 09:00", zone, &["01-30 09:00-03:00", "03-30 09:00-03:00", "04-30 09:00-03:00"]);
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9,18;BYMINUTE=0",
        "2026-01-31 09:00",
        zone,
        &["01-31 09:00-03:00", "01-31 18:00-03:00", "02-28 09:00-03:00", "02-28 18:00-03:00", "03-31 09:00-03:00"],
    );
    check("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", "2026-02-01 09:00", zone, &["end"]);
}

#[test]
fn leap_days_come_in_leap_years() {
    for rule in ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=9;BYMINUTE=0", "FREQ=YEARLY"] {
        let after = NEW_YORK.with_ymd_and_hms(2095, 1, 1, 0, 0, 0).single().expect("a plain wall time");
        let next = next_after(rule, wall("2028-02-29 09:00"), NEW_YORK, after).expect("leap days do not end");
        assert_eq!(next.at.format("%F %R").to_string(), "2096-02-29 09:00");
        let next = next_after(rule, wall("2028-02-29 09:00"), NEW_YORK, next.at).expect("leap days do not end");
        assert_eq!(next.at.format("%F %R").to_string(), "2104-02-29 09:00");
    }
}

#[test]
fn weekdays_of_months_and_years_are_counted_from_either_end() {
    let zone = chrono_tz::Europe::Lisbon;
    let nine = ";BYHOUR=9;BYMINUTE=0";
    let tables: [(&str, &str, [&str; 3]); 6] = [
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01 09:00", ["01-30", "02-27", "03-27"]),
        ("FREQ=MONTHLY;BYDAY=1MO,3MO", "2026-01-01 09:00", ["01-05", "01-19", "02-02"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01 09:00", ["01-30", "02-27", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5", "2026-01-01 09:00", ["01-07", "02-06", "03-06"]),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=2SU", "2026-01-01 09:00", ["05-10", "05-09", "05-14"]),
        ("FREQ=YEARLY;BYDAY=1MO", "2026-01-01 09:00", ["01-05", "01-04", "01-03"]),
    ];
    for (rule, start, want) in tables {
        let rule = format!("{rule}{nine}");
        let before = zone.from_utc_datetime(&(wall(start) - Duration::days(1)));
        let got: Vec<_> = moments(&rule, start, zone, before, 3).iter().map(|m| m[..5].to_owned()).collect();
        assert_eq!(got, want, "{rule}");
    }
}

#[test]
fn weeks_are_counted_from_mondays() {
    check(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;BYHOUR=9;BYMINUTE=0",
        "2026-07-08 09:00",
        NEW_YORK,
        &["07-08 09:00-04:00", "07-20 09:00-04:00", "07-22 09:00-04:00", "08-03 09:00-04:00"],
    );
    check("FREQ=WEEKLY", "2026-07-08 09:00", NEW_YORK, &["07-08 09:00-04:00", "07-15 09:00-04:00"]);
    check(
        "FREQ=DAILY;INTERVAL=3;BYHOUR=9;BYMINUTE=0",
        "2026-07-08 09:00",
        NEW_YORK,
        &["07-08 09:00-04:00", "07-11 09:00-04:00", "07-14 09:00-04:00"],
    );
    check(
        "FREQ=DAILY;BYDAY=SA,SU;BYMONTH=7,8",
        "2026-08-29 09:00",
        NEW_YORK,
        &["08-29 09:00-04:00", "08-30 09:00-04:00", "07-03 09:00-04:00"],
    );
}

#[test]
fn an_end_is_kept() {
    check(
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;COUNT=3",
        "2027-03-13 02:30",
        NEW_YORK,
        &["03-13 02:30-05:00", ">03-14 03:30-04:00", "03-15 02:30-04:00", "end"],
    );
    // Until the end of 14 March in New York, as the reader writes it.
    check(
        "FREQ=DAILY;BYHOUR=9,23;BYMINUTE=0;UNTIL=20270315T035959Z",
        "2027-03-14 09:00",
        NEW_YORK,
        &["03-14 09:00-04:00", "03-14 23:00-04:00", "end"],
    );
    check("FREQ=DAILY;UNTIL=20270314", "2027-03-14 09:00", NEW_YORK, &["03-14 09:00-04:00", "end"]);
    let after = NEW_YORK.with_ymd_and_hms(2027, 6, 1, 0, 0, 0).single().expect("a plain wall time");
    assert_eq!(next_after("FREQ=DAILY;COUNT=5", wall("2027-03-14 09:00"), NEW_YORK, after), None);
    // A start in the middle of the week: only what comes after it counts.
    check(
        "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=2;BYHOUR=9;BYMINUTE=0",
        "2026-07-09 09:00",
        NEW_YORK,
        &["07-10 09:00-04:00", "07-13 09:00-04:00", "end"],
    );
}

#[test]
fn a_rule_that_is_not_understood_whole_yields_nothing() {
    for rule in ["", "FREQ", "FREQ=SECONDLY", "FREQ=DAILY;BYWEEKNO=3", "FREQ=WEEKLY;BYDAY=2MO", "FREQ=DAILY;INTERVAL=0"]
    {
        check(rule, "2026-07-08 09:00", NEW_YORK, &["end"]);
    }
}

#[test]
fn what_is_read_begins_with_its_first_moment() {
    let replies = [
        (Language::Portuguese, "todo dia útil às 8h"),
        (Language::Portuguese, "todo dia 31 às 9h"),
        (Language::Portuguese, "toda última sexta do mês às 18h"),
        (Language::Portuguese, "a cada 15 dias às 10h"),
        (Language::Portuguese, "todo ano em 29/02 às 9h"),
        (Language::Portuguese, "a cada 2 horas"),
        (Language::Portuguese, "primeiro dia útil de cada mês às 9h"),
        (Language::English, "every other monday at 8am"),
        (Language::English, "every day at 8am and 8pm"),
        (Language::English, "every 30 minutes"),
        (Language::English, "every month on the 5th at 10am, 3 times"),
        (Language::Spanish, "cada lunes y jueves a las 8 hasta el 30/04"),
        (Language::Spanish, "el segundo martes de cada mes a las 9:30"),
    ];
    for (language, reply) in replies {
        let Meaning::Every(every) = read(reply, wednesday(), language).meaning else {
            panic!("{reply}");
        };
        let zone = every.first.timezone();
        let start = every.first.naive_local();
        let next = next_after(&every.rule, start, zone, wednesday()).unwrap_or_else(|| panic!("{}", every.rule));
        assert_eq!(next.at, every.first, "{reply}: {}", every.rule);
        assert!(next_after(&every.rule, start, zone, next.at).is_some(), "{reply}: {}", every.rule);
    }
}
