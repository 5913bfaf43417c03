//! The word tables: all that `when` knows about a language stands here and in the tables beside it.
//! A phrase (folded: lower case, no accents) has one or more meanings; the grammar picks the one that fits.

mod en;
mod es;
mod pt;
mod small_talk;
mod zones;

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono_tz::Tz;

use crate::domain::language::Language;

pub(super) use small_talk::small_talk;

/// What one word or phrase may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// A cardinal number in words.
    Num(u32),
    /// "a couple", "a few": an amount, never an hour.
    Few(u32),
    /// "mil", "thousand".
    Thousand,
    /// An ordinal number in words.
    Ord(u32),
    /// The mark of an ordinal behind digits: "th", "o".
    OrdMark,
    /// The mark that makes a number a weekday: "4a" is Wednesday.
    WeekdayMark,
    /// A weekday, Monday = 0.
    Weekday(u32),
    /// A short form that is a weekday only in company or with a dot.
    Weak(u32),
    /// A short form that is a weekday in more company, or as the whole reply: "sex", "sun".
    Short(u32),
    /// A weekday that repeats: "Mondays".
    Weekdays(u32),
    /// "feira", that follows a weekday.
    Feira,
    Month(u32),
    /// A day that is a name for a date: day and month.
    Feast(u32, u32),
    /// A feast whose date each year has to be worked out.
    Moving(Feast),
    /// The beginning, middle or end of a week, month or year.
    Edge(Edge),
    Part(Part),
    /// A part of day that repeats: "mornings".
    Parts(Part),
    /// Days from today.
    Rel(i64),
    Now,
    Unit(Unit),
    /// "h", "horas" behind an hour.
    HourMark,
    /// "o'clock", "em ponto".
    Sharp,
    Am,
    Pm,
    /// An hour without its half of the day: "ampm", "ish".
    Ish,
    Noon,
    Midnight,
    Half,
    Quarter,
    ThreeQuarters,
    /// Leads a clock time.
    At,
    /// Leads a date.
    On,
    /// The article that makes a following number a day: "el", "the".
    The,
    /// Leads the articles of a repetition: "los", "aos".
    Plural,
    /// Leads an offset: "in", "daqui", "dentro de".
    In,
    /// A word of offsets that also has other uses: "em", "en".
    MaybeIn,
    Of,
    And,
    Or,
    /// Minutes before an hour: "to", "pras".
    To,
    /// Minutes after an hour: "past".
    Past,
    /// The hour less minutes: "menos".
    Minus,
    /// Behind an offset, before its anchor: "from", "after".
    From,
    /// Behind an offset: "later", "from now".
    Later,
    Ago,
    /// Before a duration that is to pass: "after", "depois de".
    After,
    Next,
    AfterNext,
    Last,
    This,
    Every,
    Other,
    /// A frequency in one word: "weekly".
    Freq(u32, Unit),
    Workdays,
    Weekend,
    Until,
    /// Leads the first day of a repetition: "starting", "a partir de".
    Start,
    /// Leads two hours: "between".
    Between,
    /// Leads the days on which a repetition does not happen.
    Except,
    Times,
    /// "twice".
    Twice,
    /// Leads a length of repetition: "for", "por".
    For,
    Closest,
    Approx,
    /// A time too vague to act on.
    Vague,
    /// A named zone.
    Zone(Tz),
    /// Makes the place beside it a zone: "time", "horário de".
    ZoneMark,
    /// Makes the number behind it a number of something else: "room", "version".
    Label,
    /// Words without a say in the time.
    Glue,
    /// "sim", "sí": a weekday that is followed by one without.
    Yes,
    /// Takes back what stands beside it: "not".
    Not,
    /// A whole phrase that only looks like a time.
    Greeting,
    /// Leads the recipient of a one-line request.
    ToWhom,
    /// Asks for a message to be sent: leads a one-line request.
    Wish,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Business,
    Week,
    Fortnight,
    Month,
    Quarter,
    Semester,
    Year,
    Weekend,
}

/// How the date of a moving feast is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feast {
    /// Days from Easter Sunday.
    Easter(i64),
    /// The nth weekday of a month, and days from it.
    Nth(i32, u32, u32, i64),
}

/// Where in a week, month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    First,
    Middle,
    Last,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    EarlyMorning,
    Morning,
    MidMorning,
    Lunch,
    Afternoon,
    MidAfternoon,
    LateAfternoon,
    Evening,
    Night,
    LateNight,
}

impl Part {
    /// The hour that stands for the part when none is said.
    pub const fn hour(self) -> u32 {
        match self {
            Self::EarlyMorning => 6,
            Self::Morning => 9,
            Self::MidMorning => 10,
            Self::Lunch => 12,
            Self::MidAfternoon => 14,
            Self::Afternoon => 15,
            Self::LateAfternoon => 17,
            Self::Evening => 19,
            Self::Night => 20,
            Self::LateNight => 22,
        }
    }

    /// The first hour after the part.
    pub const fn end(self) -> u32 {
        match self {
            Self::EarlyMorning => 10,
            Self::Morning | Self::MidMorning => 12,
            Self::Lunch => 15,
            Self::MidAfternoon => 17,
            Self::Afternoon | Self::LateAfternoon => 20,
            Self::Evening | Self::Night | Self::LateNight => 24,
        }
    }
}

/// Whether dates in digits put the month before the day.
pub(super) const fn month_first(language: Language) -> bool {
    matches!(language, Language::English)
}

/// Whether hours written "9:30" are read on the clock of 24 hours.
pub(super) const fn day_clock(language: Language) -> bool {
    !matches!(language, Language::English)
}

/// One line of a word table: a folded phrase and its meanings.
type Line = (&'static str, &'static [Term]);

/// A phrase of a table, by its first word.
pub(super) struct Phrase {
    pub rest: Vec<&'static str>,
    pub terms: Vec<Term>,
}

/// What a word that may be mistyped is: the likelier come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kin {
    /// A weekday or a month.
    Name,
    /// A day counted from today.
    Day,
    Other,
}

/// The table of one language, ready for lookup.
pub(super) struct Table {
    phrases: HashMap<&'static str, Vec<Phrase>>,
    /// Long words that a typo may be a form of, by their first letter.
    typos: HashMap<u8, Vec<(&'static str, Kin)>>,
}

static TABLES: LazyLock<[Table; 3]> =
    LazyLock::new(|| [Table::new(pt::WORDS), Table::new(en::WORDS), Table::new(es::WORDS)]);

/// The tables in the order in which they are asked: the account's language first.
pub(super) fn tables(language: Language) -> [&'static Table; 3] {
    let [pt, en, es] = &*TABLES;
    match language {
        Language::Portuguese => [pt, es, en],
        Language::English => [en, pt, es],
        Language::Spanish => [es, pt, en],
    }
}

/// A way to be mistyped, and the kin of words that it is tried on.
type Way<'a> = (&'a dyn Fn(&[u8]) -> bool, Kin);

impl Table {
    fn new(lines: &[Line]) -> Self {
        let mut phrases: HashMap<&'static str, Vec<Phrase>> = HashMap::new();
        let mut typos: HashMap<u8, Vec<(&'static str, Kin)>> = HashMap::new();
        for (text, terms) in lines {
            let mut words = text.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<_> = words.collect();
            let named = |t: &Term| {
                matches!(t, Term::Weekday(_) | Term::Month(_) | Term::Rel(_) | Term::Weekdays(_) | Term::Part(_))
            };
            // Long words of other kinds, whose slips would change the day or the hour.
            let weighty = |t: &Term| matches!(t, Term::Next | Term::Later | Term::Last | Term::Unit(_));
            let calendar = |t: &Term| matches!(t, Term::Weekday(_) | Term::Month(_) | Term::Every);
            let long = first.len() >= 6 && terms.iter().any(|t| named(t) || weighty(t));
            if rest.is_empty() && (long || first.len() == 5 && terms.iter().any(calendar)) {
                let kin = if terms.iter().any(|t| matches!(t, Term::Weekday(_) | Term::Month(_))) {
                    Kin::Name
                } else if terms.iter().any(|t| matches!(t, Term::Rel(_))) {
                    Kin::Day
                } else {
                    Kin::Other
                };
                typos.entry(first.as_bytes()[0]).or_default().push((first, kin));
            }
            phrases.entry(first).or_default().push(Phrase { rest, terms: terms.to_vec() });
        }
        for (name, zone) in zones::names() {
            let mut words = name.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<_> = words.collect();
            let list = phrases.entry(first).or_default();
            // The words of the language come first.
            if list.iter().all(|phrase| phrase.rest != rest) {
                list.push(Phrase { rest, terms: vec![Term::Zone(*zone)] });
            }
        }
        for list in phrases.values_mut() {
            list.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
        }
        Self { phrases, typos }
    }

    /// The phrases that begin with a word, the longest first.
    pub fn phrases(&self, word: &str) -> &[Phrase] {
        self.phrases.get(word).map_or(&[], Vec::as_slice)
    }

    /// The known word that `word` is a slip of the finger away from, or a short form of.
    pub fn correct(&self, word: &str) -> Option<&'static str> {
        if !(3..=12).contains(&word.len()) || !word.is_ascii() || NO_SLIPS.contains(&word) {
            return None;
        }
        let typed = word.as_bytes();
        let near = self.typos.get(&typed[0])?;
        // Short words are too near to other words: only a vowel may be lost from them, or two letters swapped.
        let slip = |known: &[u8]| {
            if known.len() > 5 { typed.len() > 4 && one_slip(typed, known) } else { small_slip(typed, known) }
        };
        let head = |known: &[u8]| typed.len() > 3 && known.len() > 5 && known.starts_with(typed);
        let ways: [Way<'_>; 5] = [
            (&slip, Kin::Name),
            (&head, Kin::Name),
            (&|known| no_vowels(typed, known), Kin::Name),
            (&|known| no_vowels(typed, known), Kin::Day),
            (&slip, Kin::Other),
        ];
        ways.iter().find_map(|(way, kin)| {
            near.iter().find(|(known, of)| of <= kin && way(known.as_bytes())).map(|(known, _)| *known)
        })
    }
}

/// Whether a word might be a bad slip of a word that names a day or a month: its first letter is wrong, or two
/// others are.
pub(super) fn near(word: &str) -> bool {
    let typed = word.as_bytes();
    let wrong = |table: &Table| {
        table.typos.iter().any(|(first, list)| {
            let same = typed.first() == Some(first);
            let mut long = list.iter().map(|(known, _)| *known).filter(|known| (6..=12).contains(&known.len()));
            // Letters added, lost, changed, or swapped with their neighbour.
            long.any(
                |known| if same { strsim::osa_distance(word, known) <= 2 } else { one_slip(typed, known.as_bytes()) },
            )
        })
    };
    (5..=12).contains(&typed.len()) && word.is_ascii() && TABLES.iter().any(wrong)
}

/// Words that are near to a weekday or a month and are their own.
const NO_SLIPS: [&str; 28] = [
    "marte", "partes", "manaus", "manhas", "agosta", "maneira", "semana", "domino", "abrir", "quanta", "quarts",
    "sundae", "jane", "mart", "febre", "segu", "segun", "frida", "casado", "pesado", "dentre", "segunda", "mouths",
    "moths", "tardes", "sexto", "macro", "fevre",
];

/// Whether a word is another with all or some of its vowels left out, its first letter kept: "sxt", "qrta".
fn no_vowels(typed: &[u8], known: &[u8]) -> bool {
    if typed.len() >= known.len() || known.len() < 5 {
        return false;
    }
    let mut rest = typed.iter().peekable();
    for letter in known {
        if rest.peek() == Some(&letter) {
            rest.next();
        } else if !matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u') {
            return false;
        }
    }
    rest.next().is_none()
}

/// Whether a word lost one vowel of another, or has two neighbours of it swapped.
fn small_slip(typed: &[u8], known: &[u8]) -> bool {
    let head = typed.iter().zip(known).take_while(|(one, two)| one == two).count();
    let (typed, known) = (&typed[head..], &known[head..]);
    match known {
        [vowel, rest @ ..] if typed == rest => matches!(vowel, b'a' | b'e' | b'i' | b'o' | b'u'),
        [a, b, rest @ ..] => matches!(typed, [c, d, tail @ ..] if c == b && d == a && tail == rest),
        _ => false,
    }
}

/// Whether two words differ by one letter added, lost, changed or swapped with its neighbour.
fn one_slip(typed: &[u8], known: &[u8]) -> bool {
    if typed.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let head = typed.iter().zip(known).take_while(|(one, two)| one == two).count();
    let (typed, known) = (&typed[head..], &known[head..]);
    let same = |one: Option<&[u8]>, two: Option<&[u8]>| one.is_some() && one == two;
    let swapped = typed.len() > 1 && known.len() > 1 && typed[0] == known[1] && typed[1] == known[0];
    (typed.is_empty() || known.is_empty())
        || same(typed.get(1..), known.get(1..))
        || same(typed.get(1..), Some(known))
        || same(Some(typed), known.get(1..))
        || (swapped && typed[2..] == known[2..])
}
