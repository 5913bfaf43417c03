//! Who may do what: passwords that must be changed, guessing, groups, and what belongs to others.

use std::time::Duration;

use schedulezap::sandbox::telegram::Person;

use crate::harness::{World, within};

const PASSWORD: &str = "cavalo bateria grampo certo";

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
