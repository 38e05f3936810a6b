//! The whole server over a socket, an emulator behind it, and visitors who read and send forms as browsers do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headgate::accounts::people::{self, NewPerson};
use headgate::audit::Actor;
use headgate::bootstrap::{self, Running, Variation};
use headgate::config::{Config, Sources};
use headgate::domain::{Clock, ManualClock, Role, SystemClock};
use headgate::emulator::{Emulator, Options};
use headgate::environments::EnvironmentForm;
use headgate::lifecycle::Lifecycle;
use headgate::platform::HttpOptions;
use headgate::store::{self, Store};
use headgate::vault::SecretString;
use reqwest::{Method, StatusCode, header};
use scraper::{ElementRef, Html, Selector};

use super::works::QUICK;

pub const TEAM: &str = "Retail data";
pub const PASSWORD: &str = "correct horse battery";

/// A server, its emulator and its data directory.
pub struct App {
    pub emulator: headgate::emulator::Running,
    pub running: Running,
    /// Set when time stands still until a test moves it.
    pub clock: Option<Arc<ManualClock>>,
    pub directory: tempfile::TempDir,
}

impl App {
    /// With the people `ana` (editor), `theo` (admin) and `vera` (viewer) in one team, `mallory` (admin) in
    /// another, all with [`PASSWORD`], and the environment "Retail dev".
    pub async fn start() -> Self {
        Self::with(Options::default(), None).await
    }

    /// Also with a clock that stands still at `now_ms`, for the server; the emulator's is in `options`.
    pub async fn with(options: Options, now_ms: Option<i64>) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let clock = now_ms.map(|now| Arc::new(ManualClock::at(now)));
        let shared: Arc<dyn Clock> = match &clock {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock),
        };
        let variation = Variation {
            clock: shared,
            rules: QUICK,
            http: HttpOptions {
                read_timeout: Duration::from_secs(2),
                change_timeout: Duration::from_secs(2),
                retry_base: Duration::from_millis(20),
                ..HttpOptions::default()
            },
            demo: None,
        };
        let config = config(directory.path(), &emulator.url());
        let running = bootstrap::start(&config, variation, Lifecycle::new())
            .await
            .unwrap();
        let app = Self {
            emulator,
            running,
            clock,
            directory,
        };
        app.populate().await;
        app
    }

    async fn populate(&self) {
        let state = &self.running.state;
        let operator = Actor::operator("tests");
        let people = [
            ("ana", "Ana", Role::Editor, TEAM),
            ("theo", "Theo", Role::Admin, TEAM),
            ("vera", "Vera", Role::Viewer, TEAM),
            ("mallory", "Mallory", Role::Admin, "Others"),
        ];
        for (login, name, role, team) in people {
            let person = NewPerson {
                login: login.into(),
                name: name.into(),
                role,
                team: team.into(),
                password: Some(SecretString::from(PASSWORD)),
            };
            people::add(&state.store, &*state.clock, &operator, person)
                .await
                .unwrap();
        }
        let form = EnvironmentForm {
            name: "Retail dev".into(),
            organization: "0123456789ABCDEF01234567@AdobeOrg".into(),
            sandbox: "dev".into(),
            client_id: "headgate-demo".into(),
            client_secret: SecretString::from("headgate-demo-secret"),
            scopes: String::new(),
        };
        let team = self.team_id(TEAM).await;
        state
            .environments
            .add(&operator, "tests", &team, form)
            .await
            .unwrap();
    }

    pub fn store(&self) -> &Store {
        &self.running.state.store
    }

    pub async fn team_id(&self, name: &str) -> String {
        store::people::team_by_name(self.store(), name)
            .await
            .unwrap()
            .unwrap()
            .id
    }

    /// The id of the environment "Retail dev".
    pub async fn environment_id(&self) -> String {
        let team = self.team_id(TEAM).await;
        store::environments::list(self.store(), &team, None, 10)
            .await
            .unwrap()
            .remove(0)
            .id
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    /// Somebody without a session.
    pub fn stranger(&self) -> Visitor {
        Visitor::of(&self.url(""))
    }

    /// Somebody who has signed in by the form.
    pub async fn visitor(&self, login: &str) -> Visitor {
        let mut visitor = self.stranger();
        visitor.sign_in(login).await;
        visitor
    }
}

pub fn config(directory: &std::path::Path, platform: &str) -> Config {
    let flags = [
        ("listen", "127.0.0.1:0".to_owned()),
        ("data_dir", directory.display().to_string()),
        ("platform_url", platform.to_owned()),
        ("ims_url", platform.to_owned()),
        ("history_interval_seconds", "1".to_owned()),
    ];
    let sources = Sources {
        file: None,
        environment: Default::default(),
        flags: flags.to_vec(),
    };
    Config::load(sources).unwrap().config
}

/// A browser without scripts: keeps cookies, sends forms with all their fields.
#[derive(Clone)]
pub struct Visitor {
    base: String,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// An answer read in whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Visitor {
    /// Somebody without a session at the server with this address.
    pub fn of(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            base: base.to_owned(),
            http: http.build().unwrap(),
            cookies: BTreeMap::new(),
        }
    }

    /// Signs in by the form with [`PASSWORD`].
    pub async fn sign_in(&mut self, login: &str) {
        let page = self.get("/sign-in").await;
        let answer = self
            .submit(&page, "/sign-in", &[("login", login), ("password", PASSWORD)])
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// An answer whose body is still to be read.
    pub async fn open(&mut self, path: &str) -> reqwest::Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, cookies.join("; "))
        }
    }

    /// Sends a request with extra headers and, perhaps, a form body.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: Option<&[(String, String)]>,
    ) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default().to_owned();
            if value.is_empty() || rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value);
            }
        }
        Answer {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    /// Sends the page's form with this action, changed in some fields. Fields that are not in the form are added.
    pub async fn submit(&mut self, page: &Answer, action: &str, changes: &[(&str, &str)]) -> Answer {
        let mut fields = page.form(action);
        for (name, value) in changes {
            fields.retain(|(existing, _)| existing != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.post(action, &fields).await
    }

    /// Sends fields as a form of our own pages would be sent.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let origin = self.base.clone();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.send(Method::POST, path, &headers, Some(fields)).await
    }

    /// Follows a redirect.
    pub async fn follow(&mut self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        self.get(&answer.location()).await
    }
}

impl Answer {
    pub fn location(&self) -> String {
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    pub fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    /// What a person reads, with single blanks.
    pub fn text(&self) -> String {
        let html = self.html();
        let text: Vec<&str> = html
            .root_element()
            .text()
            .flat_map(str::split_whitespace)
            .collect();
        text.join(" ")
    }

    pub fn has(&self, selector: &str) -> bool {
        self.html()
            .select(&Selector::parse(selector).unwrap())
            .next()
            .is_some()
    }

    /// The values of an attribute of all elements that match.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let (html, selector) = (self.html(), Selector::parse(selector).unwrap());
        html.select(&selector)
            .filter_map(|e| e.attr(name).map(str::to_owned))
            .collect()
    }

    /// The codes of the mistakes that the page names.
    pub fn codes(&self) -> Vec<String> {
        self.attributes("[data-code]", "data-code")
    }

    /// The fields that a browser would send for the form with this action.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let html = self.html();
        let selector = Selector::parse("form[method=post]").unwrap();
        let form = html
            .select(&selector)
            .find(|form| form.attr("action") == Some(action));
        let form = form.unwrap_or_else(|| panic!("no form posts to {action}: {}", self.text()));
        let controls = Selector::parse("input, select, textarea").unwrap();
        form.select(&controls).filter_map(field).collect()
    }
}

fn field(control: ElementRef<'_>) -> Option<(String, String)> {
    let name = control.attr("name")?.to_owned();
    match (control.value().name(), control.attr("type").unwrap_or("text")) {
        ("input", "checkbox" | "radio") => {
            control.attr("checked")?;
            Some((name, control.attr("value").unwrap_or("on").to_owned()))
        }
        ("input", "submit" | "button") => None,
        ("input", _) => Some((name, control.attr("value").unwrap_or_default().to_owned())),
        ("textarea", _) => Some((name, control.text().collect())),
        _ => {
            let options = Selector::parse("option").unwrap();
            let chosen = control
                .select(&options)
                .find(|option| option.attr("selected").is_some());
            let chosen = chosen.or_else(|| control.select(&options).next())?;
            Some((
                name,
                chosen
                    .attr("value")
                    .map_or_else(|| chosen.text().collect(), str::to_owned),
            ))
        }
    }
}
