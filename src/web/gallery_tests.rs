//! What must hold of every component.

use std::{collections::HashSet, fs, path::Path};

use scraper::{Html, Selector};

use super::assets;
use super::gallery::{HOSTILE, gallery, pages};
use super::layout::Theme;

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).collect()
}

#[test]
fn every_component_renders_and_can_be_looked_at() {
    let pages = pages();
    assert!(pages[0].1.contains("<html lang=\"en\" data-theme=\"light\">"));
    assert!(pages[2].1.contains("<html lang=\"en\">"));
    assert!(pages.iter().all(|(_, page)| page.starts_with("<!doctype html>")));
    if let Some(folder) = std::env::var_os("HEADGATE_GALLERY") {
        let folder = Path::new(&folder);
        for (name, page) in &pages {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), page).unwrap();
        }
        for (url, bytes) in assets::all() {
            let file = folder.join(url.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
}

#[test]
fn pages_have_landmarks_one_heading_and_no_id_twice() {
    for (name, page) in pages() {
        let html = Html::parse_document(&page);
        for selector in ["h1", "main#main", "footer.foot", "head > title"] {
            assert_eq!(select(&html, selector).len(), 1, "{name}: {selector}");
        }
        let mut ids = HashSet::new();
        for element in select(&html, "[id]") {
            let id = element.attr("id").unwrap();
            assert!(ids.insert(id.to_owned()), "{name}: id {id} is there twice");
        }
        for attribute in [
            "aria-describedby",
            "aria-labelledby",
            "for",
            "data-copy",
            "data-reveal",
            "data-dialog",
            "list",
        ] {
            for element in select(&html, &format!("[{attribute}]")) {
                for id in element.attr(attribute).unwrap().split_whitespace() {
                    assert!(
                        ids.contains(id),
                        "{name}: {attribute} names {id}, which is not there"
                    );
                }
            }
        }
        for link in select(&html, "a[href^='#']") {
            let id = &link.attr("href").unwrap()[1..];
            assert!(ids.contains(id), "{name}: #{id} leads nowhere");
        }
    }
}

#[test]
fn every_control_has_a_label_and_every_unsafe_form_a_token() {
    let page = gallery(Theme::System);
    let html = Html::parse_document(&page);
    let labelled: HashSet<_> = select(&html, "label[for]")
        .iter()
        .filter_map(|label| label.attr("for"))
        .collect();
    let wrapped: HashSet<_> = select(&html, "label [id]")
        .iter()
        .filter_map(|control| control.attr("id"))
        .collect();
    let controls = select(&html, "input:not([type=hidden]), select, textarea");
    assert!(controls.len() > 12);
    for control in controls {
        let id = control.attr("id").expect("a control has an id");
        assert!(labelled.contains(id) || wrapped.contains(id), "{id} has no label");
    }
    for form in select(&html, "form[method=post]") {
        let token = Selector::parse("input[name=csrf][value=csrf-token]").unwrap();
        assert!(
            form.select(&token).next().is_some(),
            "{} has no token",
            form.attr("action").unwrap()
        );
    }
}

#[test]
fn no_text_becomes_markup_and_no_secret_comes_back() {
    let page = gallery(Theme::System);
    assert!(!page.contains("<img"), "text became markup");
    assert!(!page.contains("must never be shown"));
    let html = Html::parse_document(&page);
    let name = select(&html, "input#name");
    assert_eq!(name[0].attr("value"), Some(HOSTILE));
    assert_eq!(name[0].attr("aria-describedby"), Some("name-hint name-error"));
    assert!(name[0].attr("aria-invalid").is_some() && name[0].attr("required").is_some());
    assert_eq!(
        select(&html, "textarea#note")[0].text().collect::<String>(),
        HOSTILE
    );
    let secret = select(&html, "input#secret")[0];
    assert_eq!(
        (secret.attr("value"), secret.attr("type"), secret.attr("required")),
        (None, Some("password"), None)
    );
}

#[test]
fn what_is_chosen_is_marked() {
    let page = gallery(Theme::Dark);
    let html = Html::parse_document(&page);
    let chosen = |selector: &str| {
        select(&html, selector)
            .iter()
            .filter_map(|e| e.attr("value"))
            .collect::<Vec<_>>()
    };
    assert_eq!(chosen("#region option[selected]"), ["us"]);
    assert_eq!(chosen("input[name=every][checked]"), ["daily"]);
    assert_eq!(chosen("input[name=format][checked]"), Vec::<&str>::new());
    assert_eq!(chosen("#backfill[checked]"), ["on"]);
    assert_eq!(chosen("[data-theme-set][aria-pressed=true]"), ["dark"]);
    assert_eq!(select(&html, "th[aria-sort=descending]").len(), 1);
    assert_eq!(select(&html, ".side [aria-current=page]").len(), 1);
    assert_eq!(select(&html, ".chart-wide a").len(), 29);
    assert_eq!(select(&html, ".chart-narrow a").len(), 13);
    assert_eq!(
        select(&html, ".chart g[role=img]").len(),
        2,
        "a run that was not there leads nowhere"
    );
    assert_eq!(select(&html, ".top .chip.prod").len(), 1);
    assert!(page.contains(r#"<noscript><meta http-equiv="refresh" content="30"></noscript>"#));
}

#[test]
fn every_icon_in_use_is_in_the_sprite() {
    let sprite = assets::text("icons.svg");
    let page = gallery(Theme::System);
    let html = Html::parse_document(&page);
    for icon in select(&html, "use") {
        let name = icon.attr("href").unwrap().split_once('#').unwrap().1.to_owned();
        assert!(sprite.contains(&format!("id=\"{name}\"")), "no icon {name}");
    }
}
