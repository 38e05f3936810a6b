//! Every page of the route table, as a person reaches it: by following links.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::Method;
use headgate::web::assets;
use headgate::web::routes::ROUTES;

use crate::journeys::fill_in_template;
use crate::support::chrome::{DESK, Kind, PHONE};
use crate::support::demo::Demo;
use crate::support::visitor::Visitor;

/// GET routes that are no pages: files, probes, downloads, fragments and streams of pages.
const NO_PAGES: [&str; 14] = [
    "/live",
    "/board/live",
    "/flows/{id}/live",
    assets::ROUTE,
    "/flows/{id}/status",
    "/environments/{id}/choices/{kind}",
    "/healthz",
    "/readyz",
    "/setups/{id}/progress",
    "/setups/{id}/events",
    "/flows/{id}/runs.csv",
    "/flows/{id}/runs.jsonl",
    "/runs.csv",
    "/runs.jsonl",
];
/// Sees everything: an admin.
const ADMIN: &str = "Theo Lindqvist";

/// The pages of the route table that links lead to, with one address each. `first` is opened first: it is the page of
/// its kind with the most links.
async fn pages(visitor: &Visitor, first: String) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec!["/".to_owned(), first];
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let Some(route) = route_of(&path) else { continue };
        if found.contains_key(route) {
            continue;
        }
        visitor.open(&path).await;
        found.insert(route, path);
        let links =
            "return [...document.querySelectorAll('a[href^=\"/\"]')].map((a) => a.getAttribute('href'))";
        for link in visitor.ask(links).await.unwrap().as_array().unwrap() {
            let link = link.as_str().unwrap().split('#').next().unwrap().to_owned();
            if seen.insert(link.clone()) {
                waiting.push(link);
            }
        }
    }
    found
}

/// The route of a page's address; fixed segments go before parameters.
fn route_of(address: &str) -> Option<&'static str> {
    let path = address.split('?').next().unwrap();
    let fits = |route: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.starts_with('{') || a == b)
    };
    let pages = ROUTES
        .iter()
        .filter(|route| route.method == Method::GET && !NO_PAGES.contains(&route.path));
    pages
        .map(|route| route.path)
        .filter(|route| fits(route))
        .min_by_key(|route| route.matches('{').count())
}

#[tokio::test]
async fn every_page_can_be_reached_and_looks_right_in_all_ways() {
    let demo = Demo::start();
    let mut visitor = Visitor::come_in(&demo, DESK, ADMIN).await;
    // One dataflow that was created, and one form that was not sent.
    fill_in_template(&mut visitor, "samples").await;
    visitor.press("Create flow").await;
    visitor.sees("The dataflow exists", Duration::from_secs(20)).await;
    visitor.press("Open the dataflow").await;
    visitor.sees("A run is going on", Duration::from_secs(60)).await;
    // One that asks, since the title of its schema is taken by now.
    visitor.open("/").await;
    fill_in_template(&mut visitor, "samples").await;
    visitor.press("Create flow").await;
    visitor
        .sees("A schema with this title exists", Duration::from_secs(20))
        .await;
    let asking = visitor.path().await;
    // A view of the list of flows.
    visitor.open("/flows?sort=need").await;
    visitor.press("Save this view").await;
    visitor.fill("Name of the view", "By need").await;
    visitor.press("Save view").await;
    visitor.sees("The view was saved", Duration::from_secs(10)).await;
    visitor.open("/").await;
    fill_in_template(&mut visitor, "unfinished").await;
    let pages = pages(&visitor, asking).await;
    visitor.has_no_complaints().await;
    let mut missing: Vec<&str> = ROUTES
        .iter()
        .filter(|route| route.method == Method::GET && !NO_PAGES.contains(&route.path))
        .map(|route| route.path)
        .filter(|route| !pages.contains_key(route) && *route != "/sign-in")
        .collect();
    missing.sort_unstable();
    assert!(
        missing.is_empty(),
        "no link leads to {missing:?}; found {pages:#?}"
    );
    let kinds = [
        ("light", DESK),
        ("dark", Kind { dark: true, ..DESK }),
        ("390 px", PHONE),
        ("390 px, dark", Kind { dark: true, ..PHONE }),
    ];
    for path in pages.values() {
        visitor.open(path).await;
        for (when, kind) in kinds {
            visitor.chrome.become_kind(kind).await;
            visitor.looks_right(when).await;
        }
    }
    visitor.leave().await;
}
