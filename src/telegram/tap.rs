//! What a key means: `verb[:id][:version]`, at most 64 bytes, readable in logs. A tap carries an id, never
//! authority: every service looks the id up under the account.

use crate::domain::account::LatePolicy;
use crate::domain::ids::{InstanceId, MessageId, SeriesId, TelegramUserId};
use crate::domain::language::Language;

/// A field of an instance that is edited by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Field {
    /// What the owner calls it.
    Label,
    /// Where its server is.
    Url,
    /// Its key.
    Key,
    /// Its name on the server.
    Name,
}

/// A part of a message that is edited by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Part {
    /// When.
    Time,
    /// What.
    Text,
    /// To whom.
    To,
}

macro_rules! taps {
    ($( $(#[$doc:meta])* $name:ident $( ( $($arg:ident : $ty:ty),+ ) )? = $verb:literal ),* $(,)?) => {
        /// A key of ours.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Tap { $( $(#[$doc])* $name $( ( $($ty),+ ) )? ),* }

        impl Tap {
            /// As `callback_data`.
            pub fn encode(&self) -> String {
                match self {
                    $( Self::$name $( ( $($arg),+ ) )? => {
                        let parts: Vec<String> = vec![String::from($verb) $( $( , $arg.write() )+ )?];
                        parts.join(":")
                    } )*
                }
            }

            /// Reads `callback_data`; `None` for what is not ours (any more).
            pub fn decode(data: &str) -> Option<Self> {
                if data.len() > 64 { return None; }
                let mut parts = data.split(':');
                let tap = match parts.next()? {
                    $( $verb => { Self::$name $( ( $( <$ty as Arg>::read(parts.next()?)? ),+ ) )? } )*
                    _ => return None,
                };
                parts.next().is_none().then_some(tap)
            }

            /// The data of every key there can be, with this number wherever one stands: for tests, which walk them all.
            pub fn every(number: i64) -> Vec<String> {
                let mut all = Vec::new();
                $(
                    let mut heads = vec![String::from($verb)];
                    $( $( heads = followed::<$ty>(&heads, number); let _ = stringify!($arg); )+ )?
                    all.append(&mut heads);
                )*
                all
            }
        }
    };
}

trait Arg: Sized {
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
    /// Every value of a word, or this number.
    fn each(number: i64) -> Vec<Self>;
}

/// What was begun, followed by each value of a further argument.
fn followed<A: Arg>(heads: &[String], number: i64) -> Vec<String> {
    heads
        .iter()
        .flat_map(|head| A::each(number).into_iter().map(move |arg| format!("{head}:{}", arg.write())))
        .collect()
}

macro_rules! number_args {
    ($($ty:ty => $wrap:expr, $unwrap:expr);* $(;)?) => {$(
        impl Arg for $ty {
            fn write(&self) -> String { let get: fn(&$ty) -> i64 = $unwrap; get(self).to_string() }
            fn read(text: &str) -> Option<Self> { let make: fn(i64) -> $ty = $wrap; text.parse().ok().map(make) }
            fn each(number: i64) -> Vec<Self> { let make: fn(i64) -> $ty = $wrap; vec![make(number)] }
        }
    )*};
}
number_args! {
    i64 => |n| n, |n| *n;
    InstanceId => InstanceId, |n| n.0;
    MessageId => MessageId, |n| n.0;
    SeriesId => SeriesId, |n| n.0;
    TelegramUserId => TelegramUserId, |n| n.0;
}

impl Arg for chrono_tz::Tz {
    fn write(&self) -> String {
        self.name().to_owned()
    }
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn each(_number: i64) -> Vec<Self> {
        // The one with the longest name.
        chrono_tz::TZ_VARIANTS.iter().copied().max_by_key(|zone| zone.name().len()).into_iter().collect()
    }
}

macro_rules! word_args {
    ($ty:ty: $($word:literal => $value:expr),*) => {
        impl Arg for $ty {
            fn write(&self) -> String { $( if *self == $value { return String::from($word); } )* String::new() }
            fn read(text: &str) -> Option<Self> { match text { $( $word => Some($value), )* _ => None } }
            fn each(_number: i64) -> Vec<Self> { vec![$($value),*] }
        }
    };
}
word_args!(Language: "pt" => Language::Portuguese, "en" => Language::English, "es" => Language::Spanish);
word_args!(Field: "label" => Field::Label, "url" => Field::Url, "key" => Field::Key, "name" => Field::Name);
word_args!(Part: "time" => Part::Time, "text" => Part::Text, "to" => Part::To);
word_args!(LatePolicy: "ask" => LatePolicy::Ask, "always" => LatePolicy::Always, "never" => LatePolicy::Never);
word_args!(bool: "y" => true, "n" => false);

taps! {
    /// Home.
    Home = "home",
    /// Leave what is going on.
    Cancel = "cancel",
    /// One step back.
    Back = "back",
    /// Help.
    Help = "help",
    /// Go on with the draft that was left.
    Resume = "resume",
    /// A stranger wants an account.
    CreateAccount = "signup",
    /// A stranger has an account.
    HaveAccount = "login",
    /// Take the offered username.
    UseName = "use_name",
    /// The list of instances, a page of it.
    Instances(page: i64) = "insts",
    /// Start a new instance.
    NewInstance = "inst_new",
    /// An instance's card.
    Instance(id: InstanceId) = "inst",
    /// Test an instance.
    TestInstance(id: InstanceId) = "inst_test",
    /// Make it the active one.
    ActivateInstance(id: InstanceId) = "inst_act",
    /// Choose what to edit of it.
    EditInstance(id: InstanceId) = "inst_edit",
    /// Edit one field of it.
    EditField(id: InstanceId, field: Field) = "inst_field",
    /// Ask before it is deleted.
    DeleteInstance(id: InstanceId) = "inst_del",
    /// Delete it; its messages go through the active one.
    DeleteMove(id: InstanceId) = "inst_del_move",
    /// Delete it and cancel its messages.
    DeleteCancel(id: InstanceId) = "inst_del_cancel",
    /// Delete it; its messages are held.
    DeleteHold(id: InstanceId) = "inst_del_hold",
    /// Ask before an instance is deleted on its server.
    DeleteOnServer(id: InstanceId) = "inst_wipe",
    /// Confirmed: delete it on its server.
    DeleteOnServerYes(id: InstanceId) = "inst_wipe_yes",
    /// What waited when another became active goes through this one all the same.
    KeepOn(id: InstanceId, since: i64) = "inst_keep",
    /// In a draft: take the offered text.
    Take(index: i64) = "take",
    /// In a draft: test again.
    TestAgain = "draft_test",
    /// In a draft: edit a field.
    DraftField(field: Field) = "draft_field",
    /// In a draft: choose what to edit.
    DraftEdit = "draft_edit",
    /// In a draft: create the instance on the server.
    CreateOnServer = "draft_create",
    /// Save the draft.
    Save = "save",
    /// Save the draft and make it active.
    SaveActivate = "save_act",
    /// Save it though the test failed.
    SaveAnyway = "save_any",
    /// Start a new message.
    NewMessage = "msg_new",
    /// Lists of messages: waiting or past, a page.
    Messages(past: bool, page: i64) = "msgs",
    /// A message's card.
    Message(id: MessageId) = "msg",
    /// Confirm the draft.
    Confirm = "ok",
    /// Edit a part of the draft.
    DraftPart(part: Part) = "draft_part",
    /// The pasted text is complete.
    Finished = "finished",
    /// Take a candidate moment (milliseconds).
    Pick(at: i64) = "pick",
    /// Take it back.
    Undo(id: MessageId, version: i64) = "undo",
    /// Edit a part of a waiting message.
    EditPart(id: MessageId, part: Part, version: i64) = "msg_edit",
    /// Send it now.
    SendNow(id: MessageId, version: i64) = "msg_now",
    /// Cancel it.
    CancelMessage(id: MessageId, version: i64) = "msg_cancel",
    /// Choose the instance that it is pinned to.
    PinMessage(id: MessageId, version: i64) = "msg_pin",
    /// Pin it there (0: unpin).
    PinTo(id: MessageId, instance: InstanceId, version: i64) = "mpin",
    /// A new draft with the same recipient and text.
    Duplicate(id: MessageId) = "msg_dup",
    /// A new draft that repeats it.
    Repeat(id: MessageId) = "msg_repeat",
    /// The list of series, a page of it.
    SeriesList(page: i64) = "sers",
    /// A series' card.
    Series(id: SeriesId) = "ser",
    /// Edit a part of a series.
    EditSeries(id: SeriesId, part: Part, version: i64) = "ser_edit",
    /// Skip its next occurrence.
    SkipNext(id: SeriesId, version: i64) = "ser_skip",
    /// Pause it.
    PauseSeries(id: SeriesId, version: i64) = "ser_pause",
    /// Go on with it.
    ResumeSeries(id: SeriesId, version: i64) = "ser_resume",
    /// Stop it for good.
    StopSeries(id: SeriesId, version: i64) = "ser_stop",
    /// Choose the instance that it is pinned to.
    PinSeries(id: SeriesId, version: i64) = "ser_pin",
    /// Pin it there (0: unpin).
    PinSeriesTo(id: SeriesId, instance: InstanceId, version: i64) = "spin",
    /// Take the n-th offered repetition.
    PickEvery(index: i64) = "pick_every",
    /// An unknown message arrived.
    Arrived(id: MessageId, version: i64) = "msg_arrived",
    /// Send an unknown or failed message again.
    SendAgain(id: MessageId, version: i64) = "msg_again",
    /// The late ones that were shown go now; the number tells which those were.
    LateSend(shown: i64) = "late_send",
    /// The late ones one by one.
    LateChoose = "late_choose",
    /// The late ones that were shown go tomorrow, same time.
    LateTomorrow(shown: i64) = "late_tomorrow",
    /// The late ones that were shown are dropped.
    LateDrop(shown: i64) = "late_drop",
    /// The account's card.
    Account = "acct",
    /// Choose a language.
    Languages = "langs",
    /// Take this language.
    Language(language: Language) = "lang",
    /// Type a time zone.
    Zone = "zone",
    /// Choose what becomes of late messages.
    LatePolicies = "late_policies",
    /// Take this choice for late messages.
    LatePolicy(policy: LatePolicy) = "late_policy",
    /// What is at most so many minutes late goes by itself (0: as the program is set).
    LateGrace(minutes: i64) = "late_grace",
    /// The attempts of a message.
    History(id: MessageId) = "story",
    /// Type a region.
    Region = "region",
    /// Change the password.
    Password = "password",
    /// The linked chats.
    Chats = "chats",
    /// Unlink a chat.
    Unlink(user: TelegramUserId) = "unlink",
    /// Confirmed: unlink it.
    UnlinkYes(user: TelegramUserId) = "unlink_yes",
    /// Take this zone; the first one of an account brings its country's region.
    TakeZone(zone: chrono_tz::Tz, first: bool) = "zone_take",
    /// The zone and region that a new account starts with are others.
    FirstZone = "zone_first",
    /// They stay.
    KeepZone = "zone_keep",
    /// Make an invite link.
    Invite = "invite",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tap_fits_in_64_bytes_and_comes_back() {
        let all = Tap::every(i64::MAX);
        assert!(all.len() > 60, "{}", all.len());
        for data in all {
            assert!((1..=64).contains(&data.len()), "{data}");
            let tap = Tap::decode(&data).unwrap();
            assert_eq!(tap.encode(), data);
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for data in ["", "cancel:", "inst", "inst:x", "inst:1:2", "msg:99999999999999999999", "\u{0}\u{1}", "nope:1"] {
            assert_eq!(Tap::decode(data), None, "{data}");
        }
    }
}
