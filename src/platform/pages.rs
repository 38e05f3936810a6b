//! Walking through lists. Each service pages in its own way; all share one ceiling, and a list that could
//! not be read to its end ends in an error, so that it never proves the absence of anything.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{Stream, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::{Body, PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::loose::{Form, Loose, of_members};
use super::wire;
use crate::lifecycle::aside_if;

const PAGE_CEILING: usize = 200;
const ITEM_CEILING: usize = 20_000;
/// The most Catalog documents; the others treat it as a wish.
pub(super) const PAGE_SIZE: usize = 100;

/// So many items are understood in no time.
const FEW_ITEMS: usize = 10;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it, in the platform's order.
    pub items: Vec<T>,
    /// How many items were fetched so far, this page included.
    pub fetched: usize,
    /// Whether the list ends with it.
    pub is_last: bool,
}

/// An item as a list brings it: as a tree, or as the text that it came as.
pub(super) trait PageItem: Sized + Send + 'static {
    /// The page around it.
    type Page: Body;

    /// The items of a page, and what else stands on it.
    fn split(service: Service, page: Self::Page) -> Result<(Vec<Self>, Value), PlatformError>;

    /// Its id, by which a page is known again where pages have no tokens.
    fn id(&self) -> Option<String>;
}

impl PageItem for Value {
    type Page = Self;

    fn split(service: Service, mut page: Self) -> Result<(Vec<Self>, Self), PlatformError> {
        Ok((items_of(service, &mut page)?, page))
    }

    fn id(&self) -> Option<String> {
        wire::text(self, "/id")
    }
}

/// A page of Flow Service whose items are not looked into.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPage {
    items: Loose<RawItems>,
    #[serde(rename = "_links")]
    links: Value,
}
of_members!(RawPage);

impl RawPage {
    /// As they came; none where there is no list of them.
    pub(super) fn items(&self) -> &[Box<RawValue>] {
        self.items.0.0.as_deref().unwrap_or_default()
    }
}

/// `None` where there is no list of items.
#[derive(Debug, Default)]
struct RawItems(Option<Vec<Box<RawValue>>>);

impl Form for RawItems {
    fn of_elements<'de, A: SeqAccess<'de>>(elements: A) -> Result<Self, A::Error> {
        Ok(Self(Some(Form::of_elements(elements)?)))
    }

    /// An empty list may come as an empty object.
    fn of_members<'de, A: MapAccess<'de>>(mut members: A) -> Result<Self, A::Error> {
        let mut is_empty = true;
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            is_empty = false;
        }
        Ok(Self(is_empty.then(Vec::new)))
    }
}

impl PageItem for Box<RawValue> {
    type Page = Loose<RawPage>;

    fn split(service: Service, Loose(page): Loose<RawPage>) -> Result<(Vec<Self>, Value), PlatformError> {
        let items = page.items.0.0.ok_or_else(|| without(service, "items"))?;
        Ok((items, json!({ "_links": page.links })))
    }

    fn id(&self) -> Option<String> {
        None
    }
}

fn without(service: Service, key: &str) -> PlatformError {
    PlatformError::unreadable(service, format!("the list has no `{key}`"))
}

/// How far a walk has come.
struct Walk {
    client: PlatformClient,
    service: Service,
    read: Read,
    next: Option<Next>,
    seen: HashSet<String>,
    pages: usize,
    fetched: usize,
}

/// Where the next page starts: a token or key taken from the last page, or a number of items.
enum Next {
    First,
    Token(String),
    Offset(usize),
}

impl PlatformClient {
    /// All pages of the list at `read`, each item turned by `parse`.
    pub(super) fn pages<I, T, P>(
        &self,
        service: Service,
        read: Read,
        parse: P,
    ) -> impl Stream<Item = Result<Page<T>, PlatformError>> + Send + use<I, T, P>
    where
        I: PageItem,
        T: Send + 'static,
        P: Fn(I) -> Result<T, PlatformError> + Send + Sync + 'static,
    {
        let start = Walk {
            client: self.clone(),
            service,
            read,
            next: Some(Next::First),
            seen: HashSet::new(),
            pages: 0,
            fetched: 0,
        };
        let parse = Arc::new(parse);
        stream::try_unfold(start, Walk::step).and_then(move |page: Page<I>| {
            let parse = Arc::clone(&parse);
            async move {
                let is_long = page.items.len() > FEW_ITEMS;
                let understand = move || page.items.into_iter().map(&*parse).collect();
                let items: Result<_, _> = aside_if(is_long, understand).await;
                Ok(Page {
                    items: items?,
                    fetched: page.fetched,
                    is_last: page.is_last,
                })
            }
        })
    }
}

impl Walk {
    async fn step<I: PageItem>(mut self) -> Result<Option<(Page<I>, Self)>, PlatformError> {
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        if self.pages == PAGE_CEILING || self.fetched >= ITEM_CEILING {
            return Err(self.incomplete(format!("it has more than {} items", self.fetched)));
        }
        let page = self.client.get(&self.page_request(&next)).await?;
        let (items, rest) = I::split(self.service, page)?;
        self.pages += 1;
        self.next = self.next_page(&next, &rest, items.len())?;
        self.remember(&items)?;
        self.fetched += items.len();
        let page = Page {
            items,
            fetched: self.fetched,
            is_last: self.next.is_none(),
        };
        Ok(Some((page, self)))
    }

    fn page_request(&self, next: &Next) -> Read {
        let read = self.read.clone();
        match (self.service, next) {
            (Service::FlowService, Next::Token(token)) => read.with("continuationToken", token),
            (Service::SchemaRegistry, Next::Token(key)) => read.with("orderby", "title").with("start", key),
            (Service::SchemaRegistry, _) => read.with("orderby", "title"),
            (Service::Catalog | Service::DataPrep, Next::Offset(start)) => read
                .with("limit", PAGE_SIZE.to_string())
                .with("start", start.to_string()),
            (Service::Catalog | Service::DataPrep, _) => {
                read.with("limit", PAGE_SIZE.to_string()).with("start", "0")
            }
            _ => read,
        }
    }

    fn next_page(&self, current: &Next, body: &Value, count: usize) -> Result<Option<Next>, PlatformError> {
        let unreadable = |detail| Err(PlatformError::unreadable(self.service, detail));
        match self.service {
            Service::FlowService => match wire::at(body, "/_links/next") {
                None | Some(Value::Null) => Ok(None),
                Some(link) => match link
                    .get("href")
                    .and_then(Value::as_str)
                    .and_then(continuation_token)
                {
                    Some(token) => Ok(Some(Next::Token(token))),
                    None => unreadable("the link to the next page carries no continuationToken"),
                },
            },
            Service::SchemaRegistry => match wire::at(body, "/_page") {
                Some(Value::Object(page)) => match page.get("next") {
                    None | Some(Value::Null) => Ok(None),
                    Some(Value::String(key)) => Ok(Some(Next::Token(key.clone()))),
                    Some(_) => unreadable("the start of the next page is no text"),
                },
                _ => unreadable("the list does not say whether it goes on"),
            },
            Service::Catalog | Service::DataPrep => {
                // Data Prep repeats the limit it really used.
                let granted = wire::count(body, "/_page/limit").and_then(|limit| usize::try_from(limit).ok());
                let full = count > 0 && count >= granted.unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
                let start = if let Next::Offset(start) = current {
                    *start
                } else {
                    0
                };
                Ok(full.then_some(Next::Offset(start + count)))
            }
            Service::Sandboxes | Service::Ims => Ok(None),
        }
    }

    /// A service that sends the same page again would keep us for ever, or hide the rest of its list.
    fn remember<I: PageItem>(&mut self, items: &[I]) -> Result<(), PlatformError> {
        let mark = match &self.next {
            None | Some(Next::First) => return Ok(()),
            Some(Next::Token(token)) => token.clone(),
            Some(Next::Offset(_)) => items.first().and_then(I::id).unwrap_or_default(),
        };
        if self.seen.insert(mark) {
            Ok(())
        } else {
            Err(self.incomplete("the same page came again".to_owned()))
        }
    }

    fn incomplete(&self, detail: String) -> PlatformError {
        PlatformError::Incomplete {
            service: self.service,
            detail,
        }
    }
}

/// The items of a page. Catalog answers an object keyed by id: the key is put into each item as `id`.
fn items_of(service: Service, body: &mut Value) -> Result<Vec<Value>, PlatformError> {
    let key = match service {
        Service::FlowService => "items",
        Service::SchemaRegistry => "results",
        Service::DataPrep => "data",
        Service::Sandboxes => "sandboxes",
        Service::Catalog | Service::Ims => return keyed_items(service, body),
    };
    match body.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Object(empty)) if empty.is_empty() => Ok(Vec::new()),
        _ => Err(without(service, key)),
    }
}

fn keyed_items(service: Service, body: &Value) -> Result<Vec<Value>, PlatformError> {
    let odd = || PlatformError::unreadable(service, "the list is no object of objects");
    match body {
        Value::Array(empty) if empty.is_empty() => Ok(Vec::new()),
        Value::Object(members) => members
            .iter()
            .map(|(id, item)| {
                let mut item = item.as_object().ok_or_else(odd)?.clone();
                item.insert("id".to_owned(), json!(id));
                Ok(Value::Object(item))
            })
            .collect(),
        _ => Err(odd()),
    }
}

/// The token inside a link such as `/flows?continuationToken=…`; the link itself is never followed.
fn continuation_token(href: &str) -> Option<String> {
    let (_, query) = href.split_once('?')?;
    // Tokens are base64-like: a bare plus is a plus here, not a space.
    let query = query.split('#').next()?.replace('+', "%2B");
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "continuationToken")
        .map(|(_, token)| token.into_owned())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_of_a_link_is_used() {
        let token = |href| continuation_token(href);
        assert_eq!(token("/flows?continuationToken=abc").as_deref(), Some("abc"));
        assert_eq!(
            token("/flows?limit=5&continuationToken=a%26b%23c").as_deref(),
            Some("a&b#c")
        );
        assert_eq!(
            token("/flows?continuationToken=YWJj+g==").as_deref(),
            Some("YWJj+g==")
        );
        assert_eq!(
            token("https://evil.example/x?continuationToken=..%2F").as_deref(),
            Some("../")
        );
        for none in ["", "/flows", "/flows?continuationToken=", "/flows?token=abc"] {
            assert_eq!(token(none), None, "{none}");
        }
    }

    #[test]
    fn items_are_found_where_each_service_keeps_them() {
        let count = |service, mut body: Value| items_of(service, &mut body).map(|items| items.len()).ok();
        assert_eq!(count(Service::FlowService, json!({"items": [1, 2]})), Some(2));
        assert_eq!(count(Service::FlowService, json!({"items": {}})), Some(0));
        assert_eq!(count(Service::FlowService, json!({"count": 3})), None);
        assert_eq!(count(Service::FlowService, json!({"items": {"a": 1}})), None);
        assert_eq!(count(Service::SchemaRegistry, json!({"results": []})), Some(0));
        assert_eq!(count(Service::Catalog, json!({"a": {"name": "x"}})), Some(1));
        assert_eq!(count(Service::Catalog, json!([])), Some(0));
        assert_eq!(count(Service::Catalog, json!(["x"])), None);
        assert_eq!(count(Service::Catalog, json!({"error_code": "403"})), None);
        let items = items_of(Service::Catalog, &mut json!({"a1": {"name": "x"}})).unwrap();
        assert_eq!(items[0]["id"], "a1");
    }
}
