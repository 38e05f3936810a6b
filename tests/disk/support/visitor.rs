//! Somebody who signs in and changes their time zone, over and over.

use reqwest::{Client, Response, StatusCode, header};

/// A browser with one cookie.
pub struct Visitor {
    http: Client,
    base: String,
    cookie: String,
    csrf: String,
}

/// Sends a form as a page of the server's own would.
pub async fn post(
    http: &Client,
    base: &str,
    path: &str,
    form: String,
    cookie: &str,
) -> reqwest::Result<Response> {
    http.post(format!("{base}{path}"))
        .header(header::ORIGIN, base)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .body(form)
        .send()
        .await
}

/// A client that follows no redirect.
pub fn browser() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

impl Visitor {
    pub async fn sign_in(base: &str, login: &str, password: &str) -> Self {
        let http = browser();
        let form = format!("login={login}&password={}&next=", password.replace(' ', "+"));
        let answer = post(&http, base, "/sign-in", form, "").await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = http
            .get(format!("{base}/account"))
            .header(header::COOKIE, &cookie);
        let page = page.send().await.unwrap().text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap().to_owned();
        Self {
            http,
            base: base.to_owned(),
            cookie,
            csrf,
        }
    }

    /// The text of a page that is there.
    pub async fn get(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.base));
        let answer = request.header(header::COOKIE, &self.cookie).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.unwrap()
    }

    /// Whether the server said that the zone is saved. `None`: it is gone.
    pub async fn save_zone(&self, zone: &str) -> Option<bool> {
        let form = format!("csrf={}&time_zone={zone}", self.csrf);
        let answer = post(&self.http, &self.base, "/account", form, &self.cookie).await;
        answer.ok().map(|answer| answer.status() == StatusCode::SEE_OTHER)
    }
}
