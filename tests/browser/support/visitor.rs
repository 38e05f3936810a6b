//! Somebody who uses Headgate by what they see: words on buttons and labels of fields. Counts their effort.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::axe;
use super::chrome::{Chrome, Kind};
use super::demo::Demo;
use super::network;

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(15);

/// Clicks and fields typed into. Choosing from a list is two clicks: opening it and the entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Clicks on links, buttons, choices and lists.
    pub clicks: u32,
    /// Fields typed into.
    pub typed: u32,
}

/// A person at a browser. Call [`Visitor::leave`] at the end: it looks at what the browser complained about.
#[derive(Debug)]
pub struct Visitor {
    /// The browser.
    pub chrome: Chrome,
    origin: String,
    /// Whether pages may run scripts; without them axe cannot run either.
    script: bool,
    effort: Effort,
}

impl Visitor {
    /// Opens a browser in front of this demo.
    pub async fn arrive(demo: &Demo, kind: Kind) -> Self {
        let chrome = Chrome::start(kind).await;
        Self {
            chrome,
            origin: demo.url().to_owned(),
            script: kind.script,
            effort: Effort::default(),
        }
    }

    /// Opens a browser and comes in as one of the demo's people, by the name on the button.
    pub async fn come_in(demo: &Demo, kind: Kind, name: &str) -> Self {
        let mut visitor = Self::arrive(demo, kind).await;
        visitor.open("/sign-in").await;
        visitor.press(name).await;
        visitor.effort = Effort::default();
        visitor
    }

    /// WebDriver.
    pub fn client(&self) -> &Client {
        &self.chrome.client
    }

    /// Types an address of ours.
    pub async fn open(&self, path: &str) {
        self.client()
            .goto(&format!("{}{path}", self.origin))
            .await
            .unwrap();
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client().current_url().await.unwrap();
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    /// Waits until the page's path starts with this.
    pub async fn is_at(&self, start: &str) {
        for _ in 0..150 {
            if self.path().await.starts_with(start) {
                return;
            }
            tokio::time::sleep(PATIENCE / 150).await;
        }
        panic!(
            "expected {start}, is at {}: {}",
            self.path().await,
            self.words().await
        );
    }

    /// Presses the button, link, summary or choice with these words.
    pub async fn press(&mut self, words: &str) {
        self.effort.clicks += 1;
        let text = format!(
            "normalize-space(.)={0} or starts-with(normalize-space(.), concat({0}, ' '))",
            quoted(words)
        );
        let any = format!("//*[self::a or self::button or self::summary or self::label][{text}]");
        let element = self.first_shown(&any, words).await;
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("pressing {words:?}: {error}"));
    }

    /// Types into the field with this label, in place of what stands there.
    pub async fn fill(&mut self, label: &str, value: &str) {
        self.effort.typed += 1;
        let field = self.field(label).await;
        field.clear().await.unwrap();
        field
            .send_keys(value)
            .await
            .unwrap_or_else(|error| panic!("typing into {label:?}: {error}"));
    }

    /// Chooses from the list with this label.
    pub async fn choose(&mut self, label: &str, entry: &str) {
        self.effort.clicks += 2;
        let list = self.field(label).await;
        list.select_by_label(entry)
            .await
            .unwrap_or_else(|error| panic!("no {entry:?} in {label:?}: {error}"));
    }

    /// The control with this label.
    pub async fn field(&self, label: &str) -> Element {
        let labels = format!("//label[starts-with(normalize-space(.), {})]", quoted(label));
        let found = self.first_shown(&labels, label).await;
        let target = found
            .attr("for")
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("the label {label:?} names no field"));
        self.client().find(Locator::Id(&target)).await.unwrap()
    }

    async fn first_shown(&self, xpath: &str, words: &str) -> Element {
        for _ in 0..60 {
            for element in self.client().find_all(Locator::XPath(xpath)).await.unwrap() {
                // Elements that were exchanged meanwhile are not shown either.
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            tokio::time::sleep(PATIENCE / 60).await;
        }
        panic!(
            "nothing says {words:?} on {}: {}",
            self.path().await,
            self.words().await
        );
    }

    /// All words that can be seen.
    pub async fn words(&self) -> String {
        match self.client().find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => format!("(no page: {error})"),
        }
    }

    /// Waits until the page says this, without touching it.
    pub async fn sees(&self, words: &str, within: Duration) {
        let begin = std::time::Instant::now();
        while !self.words().await.contains(words) {
            assert!(
                begin.elapsed() < within,
                "{} does not say {words:?} within {within:?}: {}",
                self.path().await,
                self.words().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Runs a function body in the page and answers what it returns.
    pub async fn ask(&self, script: &str) -> Result<Value, CmdError> {
        self.client().execute(script, vec![]).await
    }

    /// Clicks and fields since coming in.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// axe finds nothing on this page, and nothing sticks out at its sides.
    pub async fn looks_right(&self, when: &str) {
        let found = if self.script {
            axe::violations(self.client()).await
        } else {
            Vec::new()
        };
        assert!(
            found.is_empty(),
            "axe on {} ({when}):\n{}",
            self.path().await,
            found.join("\n")
        );
        let width = "return [document.scrollingElement.scrollWidth, window.innerWidth]";
        let width = self.ask(width).await.unwrap();
        assert!(
            width[0].as_u64() <= width[1].as_u64(),
            "{} ({when}) is {} wide in a window of {}",
            self.path().await,
            width[0],
            width[1]
        );
    }

    /// The end of a visit: no page made the browser complain or asked another host for anything.
    pub async fn leave(self) {
        self.has_no_complaints().await;
    }

    /// Looks at the console and at the addresses that were fetched, since the last time.
    pub async fn has_no_complaints(&self) {
        let log = self.chrome.log("browser").await;
        let of = |event: &str| log.iter().filter(|entry| says(entry, event)).count();
        // A page was left, or its list filtered, while it asked for its own parts again: each of these comes with one.
        let is_abort = |entry: &Value| {
            says(entry, "htmx:sendAbort")
                || says(entry, "htmx:afterRequest") && of("htmx:afterRequest") == of("htmx:sendAbort")
        };
        let complaints: Vec<String> = log
            .iter()
            .filter(|entry| !is_abort(entry))
            .filter_map(complaint)
            .collect();
        assert!(
            complaints.is_empty(),
            "the browser complained:\n{}",
            complaints.join("\n")
        );
        let strangers: Vec<String> = network::fetched(&self.chrome)
            .await
            .into_iter()
            .map(|f| f.url)
            .collect();
        let strangers: Vec<&String> = strangers
            .iter()
            .filter(|url| !url.starts_with(&self.origin))
            .collect();
        assert!(strangers.is_empty(), "other hosts were asked: {strangers:?}");
    }
}

fn says(entry: &Value, words: &str) -> bool {
    entry["message"]
        .as_str()
        .is_some_and(|message| message.contains(words))
}

/// A console message, unless it only tells that a form was refused, which is an answer as it should be.
fn complaint(entry: &Value) -> Option<String> {
    let refused_form = entry["source"] == json!("network") && says(entry, "status of 422");
    // Recommendations about two password fields in one form are no complaints.
    let advice = entry["level"] == json!("DEBUG");
    (!refused_form && !advice).then(|| entry.to_string())
}

fn quoted(words: &str) -> String {
    assert!(
        !words.contains('"'),
        "words with quotation marks cannot be looked for"
    );
    format!("\"{words}\"")
}
