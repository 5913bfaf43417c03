//! Accounts against a real store.

use super::*;
use crate::domain::account::GRACES;

const GOOD: &str = "correct-horse-battery";

struct World {
    accounts: Accounts,
    _dir: tempfile::TempDir,
}

/// An empty database: on the server of `TEST_DATABASE_URL`, or else a file in `dir`.
async fn fresh_database(dir: &std::path::Path) -> String {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return format!("sqlite://{}/a.db", dir.display()) };
    let name = format!("accounts_{}", fingerprint(&random_code(8)).split_at(16).0);
    let mut conn = <sqlx::PgConnection as sqlx::Connection>::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.unwrap();
    let (start, _) = server.rsplit_once('/').unwrap();
    format!("{start}/{name}")
}

async fn world(signup: SignUp) -> World {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(&fresh_database(dir.path()).await).await.unwrap();
    let accounts = Accounts {
        db,
        clock: Clock::manual(Moment(1_800_000_000_000)),
        keyring: Arc::new(Keyring::generate()),
        hasher: Hasher::cheap(),
        settings: Settings { signup, quota_chats: 2, ..Settings::default() },
        reported: Arc::default(),
        wake: Wake::default(),
    };
    World { accounts, _dir: dir }
}

fn person(id: i64) -> Subject {
    Subject { chat: ChatId(id), user: TelegramUserId(id) }
}

impl World {
    async fn sign_up(&self, who: i64, name: &str, code: Option<&str>) -> Result<Account, Refusal> {
        let name = Username::parse(name).unwrap();
        let hash = self.accounts.hash_password(&name, GOOD).await?;
        self.accounts.create_account(&person(who), code, &name, &hash, Language::English).await
    }

    async fn admin(&self) -> Account {
        let code = self.accounts.claim_link_code().await.unwrap().unwrap();
        self.sign_up(1, "maria", Some(&code)).await.unwrap()
    }
}

#[tokio::test]
async fn the_server_is_claimed_once() {
    let world = world(SignUp::Invite).await;
    let void = world.accounts.claim_link_code().await.unwrap().unwrap();
    let code = world.accounts.claim_link_code().await.unwrap().unwrap();
    assert!(code.starts_with("claim_") && code.len() <= 64);
    let refused = Admission::Refused(ClosedReason::CodeInvalid);
    assert_eq!(world.accounts.admission(Some(&void)).await.unwrap(), refused);
    assert_eq!(world.accounts.admission(Some("claim_")).await.unwrap(), Admission::Refused(ClosedReason::NeedsInvite));
    assert_eq!(world.accounts.admission(Some(&code)).await.unwrap(), Admission::Claim);
    let admin = world.sign_up(1, "Maria", Some(&code)).await.unwrap();
    assert!(admin.is_admin());
    assert_eq!(world.accounts.admission(Some(&code)).await.unwrap(), refused);
    assert!(matches!(world.sign_up(2, "joao", Some(&code)).await, Err(Refusal::CodeInvalid)));
    assert_eq!(world.accounts.claim_link_code().await.unwrap(), None);
}

#[tokio::test]
async fn an_invite_admits_one_for_a_week() {
    let world = world(SignUp::Invite).await;
    let admin = world.admin().await;
    let code = world.accounts.make_invite(&admin).await.unwrap();
    let late = world.accounts.make_invite(&admin).await.unwrap();
    let (one, two) = tokio::join!(world.sign_up(2, "joao", Some(&code)), world.sign_up(3, "ana", Some(&code)));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let guest = one.or(two).unwrap();
    assert!(matches!(world.accounts.make_invite(&guest).await, Err(Refusal::NotAdmin)));
    world.accounts.clock.advance(Duration::from_hours(7 * 24));
    assert!(matches!(world.sign_up(4, "eva", Some(&late)).await, Err(Refusal::CodeInvalid)));
    assert!(matches!(world.sign_up(4, "eva", None).await, Err(Refusal::SignupNeedsInvite)));
}

#[tokio::test]
async fn open_and_closed_servers() {
    let open = world(SignUp::Open).await;
    open.sign_up(1, "maria", None).await.unwrap();
    assert!(matches!(open.sign_up(2, "maria", None).await, Err(Refusal::UsernameTaken)));
    let closed = world(SignUp::Closed).await;
    assert!(matches!(closed.sign_up(1, "maria", None).await, Err(Refusal::SignupClosed)));
    closed.admin().await;
}

#[tokio::test]
async fn making_the_same_account_again_is_harmless() {
    let world = world(SignUp::Open).await;
    let name = Username::parse("maria").unwrap();
    let hash = world.accounts.hash_password(&name, GOOD).await.unwrap();
    let first = world.accounts.create_account(&person(1), None, &name, &hash, Language::Spanish).await.unwrap();
    let again = world.accounts.create_account(&person(1), None, &name, &hash, Language::Spanish).await.unwrap();
    assert_eq!(first.id, again.id);
    assert!(matches!(world.sign_up(1, "other", None).await, Err(Refusal::Changed)));
}

#[tokio::test]
async fn a_visit_notes_the_person_and_their_language() {
    let world = world(SignUp::Open).await;
    let visitor = world.accounts.visit(&person(1), "Maria", Some("es-MX")).await.unwrap();
    assert_eq!((visitor.language, visitor.account.is_none()), (Language::Spanish, true));
    let visitor = world.accounts.visit(&person(2), "Jan", Some("nl")).await.unwrap();
    assert_eq!(visitor.language, Language::Portuguese);
    world.accounts.set_language(&person(1), None, Language::English).await.unwrap();
    let visitor = world.accounts.visit(&person(1), "Maria", Some("es-MX")).await.unwrap();
    assert_eq!(visitor.language, Language::English);
    let account = world.sign_up(1, "maria", None).await.unwrap();
    world.accounts.set_language(&person(1), Some(account.id), Language::Spanish).await.unwrap();
    let visitor = world.accounts.visit(&person(1), "Maria", Some("en")).await.unwrap();
    assert_eq!(visitor.language, Language::Spanish);
    assert_eq!(visitor.account.map(|account| account.username), Some("maria".to_owned()));
}

#[tokio::test]
async fn who_blocked_the_bot_is_back_when_they_speak_in_private() {
    let world = world(SignUp::Open).await;
    let account = world.sign_up(1, "maria", None).await.unwrap();
    world.accounts.mark_blocked(ChatId(1)).await.unwrap();
    assert!(world.accounts.chats_of(account.id).await.unwrap().is_empty());
    let group = Subject { chat: ChatId(-100), user: TelegramUserId(1) };
    world.accounts.visit(&group, "Maria", None).await.unwrap();
    assert!(world.accounts.list_chats(account.id).await.unwrap()[0].blocked);
    world.accounts.visit(&person(1), "Maria", None).await.unwrap();
    assert_eq!(world.accounts.chats_of(account.id).await.unwrap(), [ChatId(1)]);
}

#[tokio::test]
async fn logging_in_links_and_unlinking_ends_it() {
    let world = world(SignUp::Open).await;
    let account = world.sign_up(1, "maria", None).await.unwrap();
    world.accounts.log_in(&person(2), " @Maria ", GOOD).await.unwrap();
    assert_eq!(world.accounts.list_chats(account.id).await.unwrap().len(), 2);
    assert!(matches!(world.accounts.log_in(&person(3), "maria", GOOD).await, Err(Refusal::TooManyChats)));
    world.accounts.unlink(account.id, TelegramUserId(2)).await.unwrap();
    assert!(matches!(world.accounts.unlink(account.id, TelegramUserId(2)).await, Err(Refusal::NotFound)));
    assert!(matches!(world.accounts.unlink(AccountId(99), TelegramUserId(1)).await, Err(Refusal::NotFound)));
    world.accounts.log_in(&person(3), "maria", GOOD).await.unwrap();
}

#[tokio::test]
async fn guessing_is_slowed_per_account_whether_it_exists_or_not() {
    for name in ["maria", "nobody", "not a name"] {
        let world = world(SignUp::Open).await;
        world.sign_up(1, "maria", None).await.unwrap();
        for guesser in 100..105 {
            let refusal = world.accounts.log_in(&person(guesser), name, "wrong").await.unwrap_err();
            assert!(matches!(refusal, Refusal::WrongPassword), "{name} {refusal}");
        }
        let mut waits = Vec::new();
        for guesser in 105..116 {
            let Err(Refusal::Throttled { until }) = world.accounts.log_in(&person(guesser), name, GOOD).await else {
                panic!("{name} is not throttled")
            };
            let wait = until.since(world.accounts.clock.now());
            waits.push(wait.as_secs());
            world.accounts.clock.advance(wait);
            let _ = world.accounts.log_in(&person(guesser + 1000), name, "wrong").await;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }
}

#[tokio::test]
async fn guessing_is_limited_per_person_and_the_owner_gets_in_afterwards() {
    let world = world(SignUp::Open).await;
    world.sign_up(1, "maria", None).await.unwrap();
    for n in 0..10 {
        let refusal = world.accounts.log_in(&person(2), &format!("name{n}"), "wrong").await.unwrap_err();
        assert!(matches!(refusal, Refusal::WrongPassword), "{n} {refusal}");
    }
    assert!(matches!(world.accounts.log_in(&person(2), "maria", GOOD).await, Err(Refusal::Throttled { .. })));
    world.accounts.clock.advance(Duration::from_secs(3601));
    world.accounts.log_in(&person(2), "maria", GOOD).await.unwrap();
}

#[tokio::test]
async fn a_new_password_puts_every_other_chat_out() {
    let world = world(SignUp::Open).await;
    let account = world.sign_up(1, "maria", None).await.unwrap();
    world.accounts.log_in(&person(2), "maria", GOOD).await.unwrap();
    let user = TelegramUserId(1);
    let wrong = world.accounts.change_password(account.id, user, "wrong", "another-good-one-9").await;
    assert!(matches!(wrong, Err(Refusal::WrongPassword)));
    let weak = world.accounts.change_password(account.id, user, GOOD, "12345678").await;
    assert!(matches!(weak, Err(Refusal::Password(_))));
    world.accounts.change_password(account.id, user, GOOD, "another-good-one-9").await.unwrap();
    assert_eq!(world.accounts.chats_of(account.id).await.unwrap(), [ChatId(1)]);
    assert!(matches!(world.accounts.log_in(&person(2), "maria", GOOD).await, Err(Refusal::WrongPassword)));
    world.accounts.log_in(&person(2), "maria", "another-good-one-9").await.unwrap();
}

#[tokio::test]
async fn settings_are_kept() {
    let world = world(SignUp::Open).await;
    let id = world.sign_up(1, "maria", None).await.unwrap().id;
    world.accounts.set_zone(id, Tz::Europe__Lisbon).await.unwrap();
    world.accounts.set_region(id, "PT").await.unwrap();
    world.accounts.set_late_policy(id, LatePolicy::Never).await.unwrap();
    let account = world.accounts.find_account(id).await.unwrap().unwrap();
    assert_eq!((account.zone, account.region.as_str()), (Tz::Europe__Lisbon, "PT"));
    assert_eq!(account.late_policy, LatePolicy::Never);
    assert!(world.accounts.wake.take_anew() && !world.accounts.wake.take_anew(), "what waits is read anew, once");
    assert_eq!(account.late_grace, None);
    for chosen in [Some(GRACES[0]), None] {
        world.accounts.set_late_grace(id, chosen).await.unwrap();
        assert_eq!(world.accounts.find_account(id).await.unwrap().unwrap().late_grace, chosen);
        assert!(world.accounts.wake.take_anew());
    }
    assert!(world.accounts.find_account(AccountId(9)).await.unwrap().is_none());
}
