//! Where a conversation stands: each step carries exactly what is known so far.

use serde::{Deserialize, Serialize};

use super::tap::{Field, Part};
use crate::domain::clock::Moment;
use crate::domain::ids::{InstanceId, MessageId, SeriesId};
use crate::domain::series::Rhythm;
use crate::domain::wall::Due;
use crate::evolution::doctor::Diagnosis;
use crate::services::messages::Addressee;

/// A conversation's state. Stored sealed, since a draft of an instance holds its key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(tag = "state", content = "known", rename_all = "snake_case")]
pub enum State {
    /// Nothing is going on.
    #[default]
    Idle,
    /// A stranger at the door.
    SignUp {
        /// The step.
        step: SignUp,
        /// The code of the link that brought them.
        code: Option<String>,
    },
    /// A stranger logs in.
    LogIn {
        /// Once it was said.
        username: Option<String>,
    },
    /// A new instance, or an edit of a saved one.
    Instance(InstanceDraft),
    /// A new message, or an edit of a waiting one.
    Message(MessageDraft),
    /// A text of the account's settings is awaited.
    Settings(Setting),
    /// Nothing is going on, but a draft was left.
    Left {
        /// What can be gone on with.
        draft: Box<State>,
    },
}

/// Steps of signing up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// A username is awaited; the one that can be taken by a key.
    Username {
        /// From Telegram, when free.
        offered: Option<String>,
    },
    /// A password is awaited.
    Password {
        /// As chosen.
        username: String,
    },
}

/// What is known of an instance so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InstanceDraft {
    /// The instance that is edited; none for a new one.
    pub id: Option<InstanceId>,
    /// What is awaited; `None`: the summary is shown.
    pub asking: Option<Field>,
    /// Typed so far.
    pub label: Option<String>,
    /// Typed so far.
    pub url: Option<String>,
    /// Typed so far. Sealed with the whole state.
    pub key: Option<String>,
    /// Typed so far.
    pub name: Option<String>,
    /// Names found on the server.
    #[serde(default)]
    pub offered: Vec<String>,
    /// The key may create instances on the server.
    #[serde(default)]
    pub may_create: bool,
    /// The name that is asked for is that of an instance to be created.
    #[serde(default)]
    pub creating: bool,
    /// The own key of the instance to be created.
    #[serde(default)]
    pub token: Option<String>,
    /// The instance was created here, and `key` is its own in place of the server's.
    #[serde(default)]
    pub own_key: bool,
    /// What the last test found; `None` while it runs.
    pub found: Option<Diagnosis>,
    /// Counts the tests, so that a late result of an older one is dropped.
    #[serde(default)]
    pub run: i64,
    /// The test that was told anew below while it ran: its finding takes the place of that message.
    #[serde(default)]
    pub told_below: Option<i64>,
}

impl InstanceDraft {
    /// Whether something is being found out whose place in the chat is the newest message.
    pub fn awaits_finding(&self) -> bool {
        match self.asking {
            // The names on the server, which may be on their way.
            Some(Field::Name) => !self.creating && !self.may_create && self.name.is_none() && self.offered.is_empty(),
            Some(_) => false,
            None => self.found.is_none(),
        }
    }
}

/// What is known of a message so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing that was said")]
pub struct MessageDraft {
    /// The waiting message that is edited; none for a new one.
    pub id: Option<MessageId>,
    /// What is awaited; `None`: the confirm card is shown.
    pub asking: Option<Part>,
    /// To whom.
    #[serde(default)]
    pub to: Vec<Addressee>,
    /// What.
    pub body: Option<String>,
    /// A long text arrives in pieces: more may follow until the key is tapped.
    #[serde(default)]
    pub more: bool,
    /// When.
    pub at: Option<Moment>,
    /// The zone whose clocks said it; nothing for a length from now.
    #[serde(default)]
    pub by: Option<String>,
    /// Said was "now": it goes when it is confirmed, whenever that is.
    #[serde(default)]
    pub now: bool,
    /// The day that was said without an hour (YYYY-MM-DD).
    pub day: Option<String>,
    /// The series that is edited; none for a message.
    #[serde(default)]
    pub series: Option<SeriesId>,
    /// The repetition, where it is one: in place of `at`.
    #[serde(default)]
    pub every: Option<Rhythm>,
    /// The message that the repetition takes the place of.
    #[serde(default)]
    pub replaces: Option<MessageId>,
    /// It must be a repetition.
    #[serde(default)]
    pub repeat: bool,
    /// The repetition that was said without an hour, in the words it was said in.
    #[serde(default)]
    pub every_said: Option<String>,
    /// Repetitions offered as keys.
    #[serde(default)]
    pub offered: Vec<Rhythm>,
    /// What was said of the time before it was asked, and is to be asked back.
    #[serde(default)]
    pub when_said: Option<String>,
    /// The moment of the first message of this draft: makes creation idempotent.
    #[serde(default)]
    pub origin: String,
    /// Recent recipients, offered as keys.
    #[serde(default)]
    pub recent: Vec<Addressee>,
    /// The text that was edited into this draft came in this message.
    pub said_in: Option<i64>,
    /// That message was the whole request in one line.
    #[serde(default)]
    pub said_line: bool,
    /// Numbers that were asked about: whether they have WhatsApp.
    #[serde(default)]
    pub looked_up: Vec<String>,
}

impl MessageDraft {
    /// When it is to go, in the place of every other time that was said; what is said at `now` and not later is "now".
    pub fn goes(&mut self, due: Due, now: Moment) {
        self.now = due.at <= now;
        (self.at, self.by) = (Some(due.at), due.by.map(|zone| zone.name().to_owned()));
        (self.day, self.every, self.every_said) = (None, None, None);
    }

    /// When it is to go, where it is `now`.
    pub fn due(&self, now: Moment) -> Option<Due> {
        if self.now && self.at.is_some() {
            return Some(now.into());
        }
        let by = self.by.as_deref().and_then(|zone| zone.parse().ok());
        self.at.map(|at| Due { at, by })
    }

    /// Whether it changes what waits already, which goes to one person.
    pub fn is_of_one(&self) -> bool {
        self.id.is_some() || self.series.is_some()
    }
}

/// What is awaited of the settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// A city or zone name; the zones offered last.
    Zone {
        /// IANA names.
        offered: Vec<String>,
        /// Asked with the sign-up: the region follows from it.
        #[serde(default)]
        first: bool,
    },
    /// A region.
    Region,
    /// The current password.
    OldPassword,
    /// The new password.
    NewPassword {
        /// The current one, sealed with the state.
        current: String,
    },
}

/// What a conversation awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A username for a new account.
    Username,
    /// A new password.
    NewPassword,
    /// The username of an account that exists.
    LoginName,
    /// Its password.
    LoginPassword,
    /// What an instance is called here.
    Label,
    /// The address of its server.
    Url,
    /// Its key.
    Key,
    /// Its name on the server.
    Name,
    /// The name under which it is created there.
    NewName,
    /// A key of the summary.
    Summary,
    /// Recipients.
    To,
    /// A text.
    Body,
    /// The rest of a long text.
    More,
    /// A time.
    When,
    /// The hour of a known day.
    Hour,
    /// A repetition.
    Every,
    /// The hour of a known repetition.
    EveryHour,
    /// A key of the confirm card.
    Confirm,
    /// A city or time zone.
    Zone,
    /// A region.
    Region,
    /// The current password.
    OldPassword,
}

impl Step {
    /// All of them, in the order in which people meet them.
    pub const ALL: [Self; 21] = [
        Self::Username,
        Self::NewPassword,
        Self::LoginName,
        Self::LoginPassword,
        Self::Label,
        Self::Url,
        Self::Key,
        Self::Name,
        Self::NewName,
        Self::Summary,
        Self::To,
        Self::Body,
        Self::More,
        Self::When,
        Self::Hour,
        Self::Every,
        Self::EveryHour,
        Self::Confirm,
        Self::Zone,
        Self::Region,
        Self::OldPassword,
    ];
}

impl State {
    /// What is awaited; `None` when nothing is going on.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Idle | Self::Left { .. } | Self::SignUp { step: SignUp::Username { offered: None }, .. } => None,
            Self::SignUp { step: SignUp::Username { offered: Some(_) }, .. } => Some(Step::Username),
            Self::SignUp { step: SignUp::Password { .. }, .. } => Some(Step::NewPassword),
            Self::LogIn { username: None } => Some(Step::LoginName),
            Self::LogIn { username: Some(_) } => Some(Step::LoginPassword),
            Self::Instance(draft) => Some(match draft.asking {
                Some(Field::Label) => Step::Label,
                Some(Field::Url) => Step::Url,
                Some(Field::Key) => Step::Key,
                Some(Field::Name) if draft.creating => Step::NewName,
                Some(Field::Name) => Step::Name,
                None => Step::Summary,
            }),
            Self::Message(draft) => Some(match draft.asking {
                Some(Part::To) => Step::To,
                Some(Part::Text) if draft.more => Step::More,
                Some(Part::Text) => Step::Body,
                Some(Part::Time) if draft.every_said.is_some() => Step::EveryHour,
                Some(Part::Time) if draft.repeat => Step::Every,
                Some(Part::Time) if draft.day.is_some() => Step::Hour,
                Some(Part::Time) => Step::When,
                None => Step::Confirm,
            }),
            Self::Settings(setting) => Some(match setting {
                Setting::Zone { .. } => Step::Zone,
                Setting::Region => Step::Region,
                Setting::OldPassword => Step::OldPassword,
                Setting::NewPassword { .. } => Step::NewPassword,
            }),
        }
    }

    /// Whether a password or a key is awaited.
    pub fn awaits_secret(&self) -> bool {
        match self {
            Self::SignUp { step: SignUp::Password { .. }, .. } | Self::LogIn { username: Some(_) } => true,
            Self::Instance(draft) => draft.asking == Some(Field::Key),
            Self::Settings(setting) => matches!(setting, Setting::OldPassword | Setting::NewPassword { .. }),
            _ => false,
        }
    }

    /// Whether something was said to the draft.
    pub fn holds_something(&self) -> bool {
        match self {
            Self::Instance(draft) => draft.label.is_some(),
            Self::Message(draft) => {
                let has_time = draft.at.is_some() || draft.day.is_some() || draft.every.is_some();
                !draft.to.is_empty() || draft.body.is_some() || has_time || draft.when_said.is_some()
            }
            Self::Left { draft } => draft.holds_something(),
            Self::Idle | Self::SignUp { .. } | Self::LogIn { .. } | Self::Settings(_) => false,
        }
    }

    /// Whether another draft takes the place of this one.
    pub fn gives_way_to(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Message(one), Self::Message(other)) => one.origin != other.origin,
            (Self::Message(_), Self::Instance(_)) | (Self::Instance(_), Self::Message(_)) => true,
            _ => false,
        }
    }

    /// Whether something would be lost by leaving.
    pub fn is_draft(&self) -> bool {
        matches!(self, Self::Instance(_) | Self::Message(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_comes_back_as_it_was_kept() {
        let draft = MessageDraft { body: Some("oi".to_owned()), at: Some(Moment(7)), ..MessageDraft::default() };
        for state in
            [State::Message(draft.clone()), State::Left { draft: Box::new(State::Message(draft)) }, State::Idle]
        {
            let kept = serde_json::to_string(&state).unwrap();
            let back: State = serde_json::from_str(&kept).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), kept);
            assert_eq!(back.is_draft(), state.is_draft());
        }
    }
}
