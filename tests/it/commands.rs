//! The short commands, and what a running server says of itself: to the person at the terminal, and in its logs.

use schedulezap::sandbox::telegram::Person;

use crate::harness::{KEY, TOKEN, within};
use crate::real::Real;

const PASSWORD: &str = "cavalo bateria grampo certo";

/// A world for a server that is found at an address.
async fn world(people: i64) -> Real {
    let mut real = Real::new(people).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    real.settings.push(("HTTP_LISTEN", free.to_string()));
    real
}

/// The code of a line that tells a claim link.
fn code(line: &str) -> &str {
    line.trim().strip_prefix("claim link: https://t.me/real_bot?start=").unwrap_or_else(|| panic!("{line:?}"))
}

/// Opens a claim link and makes an account.
async fn claims(person: &Person, code: &str, username: &str) {
    person.opens(code);
    person.sees("primeiro administrador").await;
    person.taps("Criar conta").unwrap();
    person.sees_now("Escolha um nome").await;
    person.says(username);
    person.sees_now("Agora uma senha").await;
    person.says(PASSWORD);
    person.sees_now("criada").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_link_is_made_anew_while_there_is_no_administrator() {
    within(async {
        let real = world(0).await;
        let process = real.start();
        let log = process.logs("claim link: ").await;
        let first = code(log.lines().find(|line| line.starts_with("claim link: ")).unwrap()).to_owned();
        let (ended, said, _) = real.output(&["claim-link"]);
        assert_eq!((ended, said.lines().count()), (Some(0), 1), "{said}");
        let fresh = code(&said).to_owned();
        assert!(fresh.starts_with("claim_") && fresh.len() <= 64, "{fresh}");
        assert_ne!(fresh, first);
        let bia = real.telegram.person("Bia", "pt-br");
        claims(&bia, &fresh, "bia").await;
        bia.says("/conta");
        bia.sees_now("administrador").await;
        // Now there is one: neither link is good for another.
        let (ended, said, why) = real.output(&["claim-link"]);
        assert_eq!((ended, said.as_str()), (Some(1), ""));
        assert_eq!(why.trim(), "schedulezap: there is an administrator already");
        let eva = real.telegram.person("Eva", "pt-br");
        eva.opens(&first);
        eva.sees_now("já foi usado ou venceu").await;
        assert!(process.ask_to_end("TERM").success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_tells_whether_the_server_is_alive() {
    within(async {
        let real = world(1).await;
        let (ended, said, why) = real.output(&["check", "--health"]);
        assert_eq!((ended, said.as_str()), (Some(1), ""));
        assert!(why.starts_with("schedulezap: "), "{why}");
        let process = real.start();
        real.people[0].sees_one(|_| true).await;
        assert_eq!(real.output(&["check", "--health"]), (Some(0), "ok\n".to_owned(), String::new()));
        let (ended, said, _) = real.output(&["check"]);
        assert_eq!((ended, said.as_str()), (Some(0), "settings, database and key are fine\n"));
        assert!(process.ask_to_end("TERM").success());
        assert_eq!(real.output(&["check", "--health"]).0, Some(1));
    })
    .await;
}

/// Says that nothing of this stands in a log.
fn keeps_quiet(log: &str, secrets: &[&str]) {
    for secret in secrets {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(secret)).take(3).collect();
        assert!(lines.is_empty(), "{secret:?} was logged: {lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_holds_no_secret_no_text_and_no_number() {
    within(async {
        let real = world(0).await;
        let process = real.start_with(&[("LOG", "trace"), ("LOG_FORMAT", "json")]);
        let log = process.logs("claim link: ").await;
        let claim = code(log.lines().find(|line| line.starts_with("claim link: ")).unwrap()).to_owned();
        let ana = real.telegram.person("Ana", "pt-br");
        claims(&ana, &claim, "ana.segredo").await;
        real.evolution.add_instance("loja", "5511912345678", true);
        ana.says("/instancias");
        ana.sees_now("Nenhuma ainda").await;
        ana.taps("Nova instância").unwrap();
        ana.sees_now("Como quer chamar").await;
        ana.says("Etiqueta discreta");
        ana.sees_now("Qual é o endereço").await;
        ana.says(&real.server());
        ana.sees_now("chave de API").await;
        ana.says("/chave-errada-por-engano");
        ana.sees_now("Não conheço esse comando").await;
        ana.says(KEY);
        ana.sees_now("Encontrei estas").await;
        ana.taps("loja").unwrap();
        ana.sees_now("WhatsApp conectado").await;
        ana.taps("Salvar").unwrap();
        ana.sees("salva").await;
        ana.says("em 1 hora para 11 98888-7777: Bolo de cenoura às oito");
        ana.sees_now("Confira e confirme").await;
        ana.taps("Confirmar").unwrap();
        ana.sees_now("Agendada #1").await;
        ana.taps("Enviar agora").unwrap();
        ana.sees("Enviada para").await;
        assert_eq!(real.evolution.count(), 1);
        // What is refused and what goes wrong is not told in so many words either.
        ana.shares_contact("+5511977776666", "Tia Zulmira");
        ana.sees_now("O que enviar?").await;
        ana.says("/cancelar");
        ana.sees("Cancelado").await;
        let bia = real.telegram.person("Bia", "pt-br");
        bia.says("/start");
        bia.sees_now("ScheduleZAP").await;
        bia.taps("Já tenho conta").unwrap();
        bia.sees_now("seu nome de usuário").await;
        bia.says("ana.segredo");
        bia.sees_now("E a senha?").await;
        bia.says("senha errada de propósito");
        bia.sees_now("incorretos").await;
        real.telegram.fail_next("sendMessage", schedulezap::sandbox::telegram::Fault::ServerError(502));
        bia.says("/ajuda");
        bia.sees("Escreva o nome de usuário da conta").await;
        let log = process.log();
        assert!(process.ask_to_end("TERM").success());
        let json: Vec<&str> = log.lines().filter(|line| line.starts_with('{')).collect();
        assert!(json.len() > 100 && log.contains("\"level\":\"TRACE\""), "{} lines", json.len());
        for line in &json {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
        let logged = json.join("\n");
        keeps_quiet(&logged, &[TOKEN, TOKEN.split_once(':').unwrap().1, KEY, PASSWORD, "cavalo", &claim]);
        keeps_quiet(&logged, &["senha errada", "chave-errada", "Bolo de cenoura", "cenoura", "Zulmira"]);
        keeps_quiet(&logged, &["5511988887777", "988887777", "98888-7777", "5511977776666", "5511912345678"]);
        keeps_quiet(
            &logged,
            &["ana.segredo", "Etiqueta discreta", "Encontrei estas", "Confira e confirme", "Enviada para"],
        );
        println!("{} lines of JSON", json.len());
    })
    .await;
}
