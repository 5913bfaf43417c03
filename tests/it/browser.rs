//! The demo as a newcomer meets it: its page in a real headless Chromium, from the claim link to a delivered message.
//! With `README_PICTURE=docs/chat.png` it also takes the README's picture.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use crate::harness::PATIENCE;

/// Ends a program of the test's own with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The line of a program's output that has this text.
fn line(child: &mut Child, text: &str) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let found = lines.find(|line| line.contains(text)).unwrap_or_else(|| panic!("it never said: {text}"));
    // What comes later is read too, so that the program never waits for its reader.
    std::thread::spawn(move || lines.for_each(drop));
    found
}

struct Page(Client);

impl Page {
    async fn sees(&self, text: &str) {
        let place = format!("//div[@id='log']//div[contains(@class,'bot')][contains(., \"{text}\")]");
        let found = self.0.wait().at_most(PATIENCE).for_element(Locator::XPath(&place)).await;
        if found.is_err() {
            let log = self.0.find(Locator::Id("log")).await.unwrap().text().await.unwrap();
            panic!("the chat does not show {text:?}, but:\n{log}");
        }
    }

    async fn says(&self, text: &str) {
        self.0.find(Locator::Id("composer")).await.unwrap().send_keys(text).await.unwrap();
        self.0.find(Locator::Id("send")).await.unwrap().click().await.unwrap();
    }

    /// Taps the newest key with these words.
    async fn taps(&self, words: &str) {
        let place = format!("(//button[contains(@class,'key')][contains(., \"{words}\")])[last()]");
        let key = self.0.wait().at_most(PATIENCE).for_element(Locator::XPath(&place)).await.unwrap();
        key.click().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_walks_through_the_demo_in_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Command::new(crate::real::program());
    demo.args(["demo", "--port", &free_port().to_string(), "--fresh"]).current_dir(dir.path()).env_clear();
    let mut demo = Ends(demo.env("SEND_GAP_MS", "0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let claim = line(&mut demo.0, "claim link: ").replace("claim link: ", "");

    let port = free_port();
    let driver = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .env("TZ", "America/Sao_Paulo")
        .stdout(Stdio::piped())
        .spawn();
    let mut driver = Ends(driver.expect("needs chromium and chromedriver: apt-get install chromium chromium-driver"));
    line(&mut driver.0, "started successfully");
    let mut wishes = Capabilities::new();
    let profile = format!("--user-data-dir={}", dir.path().join("profile").display());
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--window-size=1180,860",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        &profile,
    ];
    wishes.insert("goog:chromeOptions".to_owned(), json!({ "args": args }));
    let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(wishes)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .unwrap();
    let page = Page(client.clone());

    client.goto(&claim).await.unwrap();
    client.wait().at_most(PATIENCE).for_element(Locator::Id("start")).await.unwrap().click().await.unwrap();
    page.taps("Criar conta").await;
    page.sees("Escolha um nome").await;
    page.says("ana").await;
    page.sees("Agora uma senha").await;
    page.says("cavalo bateria grampo certo").await;
    page.sees("criada").await;
    page.says("/instancias").await;
    page.taps("Nova instância").await;
    page.sees("Como quer chamar").await;
    page.says("Loja").await;
    page.sees("Qual é o endereço").await;
    // What a newcomer copies from the page.
    let facts = client.find_all(Locator::Css("#server .fact button")).await.unwrap();
    let url = facts[0].text().await.unwrap();
    let key = facts[1].text().await.unwrap();
    page.says(&url).await;
    page.sees("chave de API").await;
    page.says(&key).await;
    page.sees("Encontrei estas").await;
    page.taps("loja").await;
    page.sees("WhatsApp conectado").await;
    page.taps("Salvar").await;
    page.sees("salva").await;
    page.says("amanhã 9h para 11 98888-7777: Bom dia! Seu pedido já pode ser retirado.").await;
    page.sees("Confira e confirme").await;
    page.taps("Confirmar").await;
    page.sees("Agendada").await;
    page.taps("Enviar agora").await;
    page.sees("Enviada para").await;
    let delivered = "//section[@id='delivered'][contains(., '+55 11 98888-7777')][contains(., 'Seu pedido')]";
    client.wait().at_most(PATIENCE).for_element(Locator::XPath(delivered)).await.unwrap();
    if let Ok(picture) = std::env::var("README_PICTURE") {
        // The scheduling alone: what came before is set aside for the picture.
        let earlier = "[...document.querySelectorAll('#log .said')].slice(0, -3).forEach((e) => e.style.display = ";
        client.execute(&format!("{earlier}'none')"), Vec::new()).await.unwrap();
        std::fs::write(picture, client.screenshot().await.unwrap()).unwrap();
        client.execute(&format!("{earlier}'')"), Vec::new()).await.unwrap();
    }
    let log = client.find(Locator::Id("log")).await.unwrap().text().await.unwrap();
    assert!(!log.contains(&key) && !log.contains("cavalo"), "secrets stay in no chat");

    // On a phone the same page has two tabs, and nothing is wider than the screen.
    client.set_window_size(390, 844).await.unwrap();
    client.find(Locator::Id("tab-phone")).await.unwrap().click().await.unwrap();
    assert!(client.find(Locator::Id("delivered")).await.unwrap().is_displayed().await.unwrap());
    let wide =
        client.execute("return document.documentElement.scrollWidth - window.innerWidth", Vec::new()).await.unwrap();
    assert!(wide.as_i64().unwrap() <= 0, "{wide} pixels too wide");
    if let Ok(picture) = std::env::var("PHONE_PICTURE") {
        client.find(Locator::Id("tab-chat")).await.unwrap().click().await.unwrap();
        std::fs::write(picture, client.screenshot().await.unwrap()).unwrap();
    }
    client.close().await.unwrap();
}

/// The texts of Carmen's chat that the bot said, as the page reads them.
async fn said_by_bot(http: &reqwest::Client, origin: &str) -> Vec<String> {
    let answer = http.get(format!("{origin}sandbox/chat/1003")).send().await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let messages = told["messages"].as_array().unwrap().iter();
    messages.filter(|m| m["from_bot"] == true).map(|m| m["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_goes_on_where_it_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let start = || {
        let mut demo = Command::new(crate::real::program());
        demo.args(["demo", "--port", &port]).current_dir(dir.path()).env_clear();
        let mut demo = Ends(demo.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let origin = line(&mut demo.0, "ScheduleZAP demo: ").replace("ScheduleZAP demo: ", "");
        (demo, origin)
    };
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let says = async |origin: &str, text: &str| {
        let said = http.post(format!("{origin}sandbox/chat/1003/say")).header("content-type", "application/json");
        said.body(json!({ "text": text }).to_string()).send().await.unwrap();
    };
    let sees = async |origin: &str, text: &str| {
        let begun = std::time::Instant::now();
        while !said_by_bot(&http, origin).await.iter().any(|said| said.contains(text)) {
            assert!(begun.elapsed() < PATIENCE, "{text:?} was never said");
            tokio::task::yield_now().await;
        }
        begun.elapsed()
    };
    let (demo, origin) = start();
    says(&origin, "/start").await;
    sees(&origin, "Soy ScheduleZAP").await;
    // What the page shows is on the disk a moment later.
    let kept = dir.path().join("data/demo/world.json");
    while !std::fs::read_to_string(&kept).is_ok_and(|kept| kept.contains("Soy ScheduleZAP")) {
        tokio::task::yield_now().await;
    }
    drop(demo);
    let (_demo, origin) = start();
    assert!(said_by_bot(&http, &origin).await.iter().any(|said| said.contains("Soy ScheduleZAP")), "it is all there");
    says(&origin, "/ayuda").await;
    sees(&origin, "Para empezar, cree una cuenta").await;
}
