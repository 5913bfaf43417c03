//! Who may do what: passwords that must be changed, guessing, groups, and what belongs to others.

use std::time::Duration;

use schedulezap::domain::clock::Clock;
use schedulezap::domain::ids::AccountId;
use schedulezap::sandbox::telegram::Person;
use schedulezap::telegram::tap::Tap;

use crate::harness::{KEY, START, World, within};

const PASSWORD: &str = "cavalo bateria grampo certo";

/// A world that delays nobody who taps a hundred keys.
async fn eager() -> World {
    World::start_with(Clock::manual(START), |config| config.quotas.updates_per_min = 0).await
}

/// Begins to log in to an account.
async fn logs_in(person: &Person, username: &str, password: &str) {
    person.says("/start");
    person.sees_now("ScheduleZAP").await;
    person.taps("Já tenho conta").unwrap();
    person.sees_now("seu nome de usuário").await;
    person.says(username);
    person.sees_now("E a senha?").await;
    person.says(password);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_must_change_its_password_can_do_nothing_else() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let card = ana.sees("criada").await;
        world.does("UPDATE users SET force_password_change = TRUE").await;
        // In a chat that is linked already the old one is asked for, whatever is said or tapped.
        ana.says("amanhã 9h para 11 98888-7777: oi");
        ana.sees_now("precisa de uma senha nova").await;
        ana.taps_data(card.id, "insts:0");
        ana.says("/mensagens");
        ana.sees_now("Qual é a senha atual").await;
        ana.sends_photo();
        ana.says("/ajuda");
        let help = ana.sees("Primeiro a senha de agora").await;
        assert!(!help.text.contains("/cancelar"), "it cannot be left: {}", help.text);
        world.handled().await;
        world.said().await;
        assert!(ana.toasts().iter().any(|toast| toast.contains("Antes escolha")), "{:?}", ana.toasts());
        assert!(!ana.chat().iter().any(|m| m.text.contains("Esperando") || m.text.contains("Confira")));
        // Who logs in with it goes straight to the new one.
        let bia = world.telegram.person("Bia", "pt-br");
        logs_in(&bia, "ana", PASSWORD).await;
        bia.sees_now("E a nova senha?").await;
        bia.says("/instancias");
        bia.sees_now("precisa de uma senha nova").await;
        bia.says(PASSWORD);
        bia.sees_now("não pode ser a de agora").await;
        bia.says("12345678");
        bia.sees_now("fácil de adivinhar").await;
        bia.says("outro cavalo bateria grampo");
        bia.sees_now("Senha alterada").await;
        bia.says("/instancias");
        bia.sees_now("Nenhuma ainda").await;
        assert!(!bia.chat().iter().any(|m| m.text.contains("cavalo")), "passwords stay in no chat");
        // The chat that knew only the old password is out.
        ana.says("/menu");
        ana.sees_now("Para criar uma conta aqui").await;
        world.finish(&[&ana, &bia]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_of_guessing_once_and_is_not_locked_out() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let eve = world.telegram.person("Eve", "pt-br");
        for _ in 0..5 {
            logs_in(&eve, "ana", "errada errada errada").await;
            eve.sees_now("Usuário ou senha incorretos").await;
        }
        ana.sees("Alguém errou a senha desta conta 5 vezes").await;
        logs_in(&eve, "ana", PASSWORD).await;
        eve.sees_now("Tentativas demais").await;
        // The owner's chat goes on working meanwhile.
        ana.says("/mensagens");
        ana.sees_now("Esperando: 0").await;
        world.advance(Duration::from_secs(3));
        logs_in(&eve, "ana", "errada errada errada").await;
        eve.sees_now("Usuário ou senha incorretos").await;
        world.handled().await;
        world.said().await;
        let told = ana.chat().iter().filter(|m| m.text.contains("Alguém errou a senha")).count();
        assert_eq!(told, 1, "not for every try");
        // An unknown name looks the same and tells nobody.
        let mallory = world.telegram.person("Mallory", "pt-br");
        logs_in(&mallory, "ninguem", "errada errada errada").await;
        mallory.sees_now("Usuário ou senha incorretos").await;
        world.finish(&[&ana, &eve, &mallory]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_and_keys_are_not_taken_in_a_group() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        let family = world.telegram.group("Família & cia", true);
        // What people say to each other there is none of the bot's business.
        family.says(&ana, "bom dia a todos");
        family.says(&ana, "/agendar");
        let way = family.sees("só trabalho em conversa privada").await;
        assert_eq!(way.rows[0][0].url.as_deref(), Some("https://t.me/story_bot"));
        assert_eq!(family.chat().iter().filter(|m| m.from_bot).count(), 1);
        // The private chat awaits a key; it is said in the group.
        ana.says("/instancias");
        ana.sees_now("Nenhuma ainda").await;
        ana.taps("Nova instância").unwrap();
        ana.sees_now("Como quer chamar").await;
        ana.says("Loja");
        ana.sees_now("Qual é o endereço").await;
        ana.says(&world.url);
        ana.sees_now("chave de API").await;
        family.says(&ana, KEY);
        family.sees("Senhas e chaves nunca em grupo").await;
        world.handled().await;
        world.said().await;
        assert!(!family.chat().iter().any(|m| m.text.contains(KEY)), "it was deleted");
        ana.sees_now("chave de API").await;
        // Where it may not delete, it says so.
        let work = world.telegram.group("Trabalho", false);
        work.says(&ana, KEY);
        work.sees("Não consegui apagar").await;
        ana.says(KEY);
        ana.sees_now("Encontrei estas").await;
        world.finish(&[&ana]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_for_an_account_from_a_group() {
    within(async {
        let world = eager().await;
        let ana = world.member("Ana", "pt-br").await;
        let bia = world.telegram.person("Bia", "pt-br");
        bia.says("/start");
        bia.sees("ScheduleZAP").await;
        world.with_instance(&ana).await;
        let family = world.telegram.group("Família", true);
        family.says_anonymously("/mensagens");
        family.says_anonymously("amanhã 9h para 11 98888-7777: oi");
        world.handled().await;
        world.said().await;
        assert!(family.chat().iter().all(|m| !m.from_bot), "an anonymous administrator is no one");
        family.says(&bia, "/instancias");
        let way = family.sees("conversa privada").await;
        for person in [&ana, &bia] {
            family.replies(person, way.id, "amanhã 9h para 11 98888-7777: oi");
            for data in Tap::every(1) {
                family.taps(person, way.id, &data);
            }
        }
        world.handled().await;
        world.said().await;
        for shown in family.chat().iter().filter(|m| m.from_bot) {
            assert!(shown.text.contains("conversa privada"), "{}", shown.text);
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM scheduled_messages").await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM user_instances WHERE is_active").await, 1);
        // Answers that wait behind a flood of messages are too old when their turn comes.
        world.finish(&[]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_becomes_a_supergroup_is_followed() {
    within(async {
        let world = World::start().await;
        let ana = world.member("Ana", "pt-br").await;
        // Told of by the old chat, before anything is said in the new one.
        let old = world.telegram.group("Família", true);
        old.says(&ana, "/menu");
        old.sees("conversa privada").await;
        let new = old.becomes_a_supergroup(true);
        new.says(&ana, "/menu");
        new.sees("conversa privada").await;
        world.handled().await;
        assert_eq!(world.count("SELECT COUNT(*) FROM conversations WHERE chat_id = -2001").await, 0);
        // Told of by nothing but the refusal of an answer that was under way.
        let old = world.telegram.group("Trabalho", true);
        world.telegram.set_down(true);
        old.says(&ana, "/menu");
        old.says(&ana, "/ajuda");
        let new = old.becomes_a_supergroup(false);
        world.telegram.set_down(false);
        // A poll that met the outage waits for the clock.
        world.said().await;
        world.handled().await;
        world.said().await;
        new.sees("conversa privada").await;
        assert_eq!(new.chat().iter().filter(|m| m.from_bot).count(), 2, "both answers arrive where the group is now");
        assert_eq!(world.count("SELECT COUNT(*) FROM outbox WHERE status = 'dead'").await, 0);
        world.finish(&[&ana]).await;
    })
    .await;
}

/// Ana's secrets, as anything that shows them would.
const SECRETS: [&str; 5] = ["segredo", "97654-3210", "5511976543210", "5511912345678", "••••"];

/// Ana has an instance and a message of each kind; what belongs to her stays as it was.
async fn anas_things(world: &World) -> Person {
    let ana = world.member("Ana", "pt-br").await;
    world.with_instance(&ana).await;
    for (line, card) in [("segredo um", "#1"), ("segredo dois", "#2")] {
        ana.says(&format!("amanhã 9h para 11 97654-3210: {line}"));
        ana.sees_now("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees_now(card).await;
    }
    world.does("UPDATE scheduled_messages SET status = 'unknown' WHERE id = 2").await;
    ana
}

async fn untouched(world: &World) -> bool {
    world.count("SELECT COUNT(*) FROM scheduled_messages WHERE user_id = 1 AND NOT pinned AND version = 0").await == 2
        && world.count("SELECT COUNT(*) FROM scheduled_messages WHERE status IN ('scheduled', 'unknown')").await == 2
        && world.count("SELECT COUNT(*) FROM user_instances WHERE user_id = 1 AND is_active AND version = 0").await == 1
        && world.count("SELECT COUNT(*) FROM chat_users WHERE account_id = 1").await == 1
        && world.count("SELECT COUNT(*) FROM users WHERE id = 1 AND late_policy = 'ask' AND late_grace IS NULL AND locale = 'pt-BR'").await
            == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_with_the_ids_of_another_account_does_and_shows_nothing_of_it() {
    within(async {
        let world = eager().await;
        let ana = anas_things(&world).await;
        assert!(untouched(&world).await);
        let ben = world.member("Ben", "en").await;
        let stranger = world.telegram.person("Eve", "en");
        stranger.says("/start");
        stranger.sees("ScheduleZAP").await;
        for person in [&ben, &stranger] {
            let card = person.chat().iter().rev().find(|m| m.from_bot).unwrap().id;
            // Ids of instances and accounts, of messages, and of people.
            for number in [1, 2, ana.id()] {
                for data in Tap::every(number) {
                    person.taps_data(card, &data);
                }
                world.handled().await;
            }
            // Deep links and replies that only look like the account's.
            for payload in ["msg_1", "inst_1", "account_1", "claim_1", "invite_1", "1"] {
                person.opens(payload);
            }
            for shown in ana.chat().iter().filter(|m| m.from_bot) {
                person.replies(shown.id, "amanhã 10h");
                person.replies(shown.id, "cancela");
            }
            person.says("/cancel");
        }
        world.handled().await;
        world.said().await;
        for person in [&ben, &stranger] {
            for shown in person.chat().iter().filter(|m| m.from_bot) {
                let keys: Vec<_> = shown.rows.iter().flatten().map(|key| key.label.as_str()).collect();
                let all = format!("{} {}", shown.text, keys.join(" "));
                assert!(!SECRETS.iter().any(|secret| all.contains(secret)) && !all.contains("Loja"), "{all}");
            }
            assert!(!person.toasts().iter().any(|toast| SECRETS.iter().any(|secret| toast.contains(secret))));
        }
        assert!(untouched(&world).await);
        assert!(world.evolution.delivered().is_empty());
        world.finish(&[&ana, &ben, &stranger]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_cards_in_a_chat_do_nothing_for_the_account_that_came_after() {
    within(async {
        let world = eager().await;
        let ana = anas_things(&world).await;
        let bia = world.telegram.person("Bia", "pt-br");
        logs_in(&bia, "ana", PASSWORD).await;
        bia.sees_now("2 mensagens").await;
        let old: Vec<_> = ana.chat().into_iter().filter(|m| m.from_bot).collect();
        ana.says("/conta");
        ana.sees_now("Chats ligados").await;
        ana.taps("Chats ligados").unwrap();
        ana.sees_now("Chats ligados a esta conta").await;
        ana.taps("Desligar Ana").unwrap();
        ana.sees_now("Desligar Ana desta conta?").await;
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Este chat foi desligado").await;
        let code = {
            let accounts = &world.door.services.accounts;
            let admin = accounts.find_account(AccountId(1)).await.unwrap().unwrap();
            accounts.make_invite(&admin).await.unwrap()
        };
        ana.opens(&code);
        ana.sees_now("Você foi convidado").await;
        ana.taps("Criar conta").unwrap();
        ana.sees_now("Escolha um nome").await;
        ana.says("outra");
        ana.sees_now("Agora uma senha").await;
        ana.says(PASSWORD);
        let after = ana.sees_now("Conta outra criada").await.id;
        // Every key of every old card, and replies to them.
        for card in &old {
            for key in card.rows.iter().flatten().filter_map(|key| key.data.as_deref()) {
                ana.taps_data(card.id, key);
            }
            ana.replies(card.id, "amanhã 10h");
            ana.replies(card.id, "cancela");
            ana.says("/cancelar");
        }
        world.handled().await;
        world.said().await;
        for shown in ana.chat().iter().filter(|m| m.from_bot && m.id > after) {
            assert!(!SECRETS.iter().any(|secret| shown.text.contains(secret)), "{}", shown.text);
        }
        assert!(untouched(&world).await);
        world.finish(&[]).await;
    })
    .await;
}
