//! Every component on one page, so that a test renders them all and people can look at them.
//!
//! `HEADGATE_GALLERY=<folder> cargo test gallery` also writes the pages with their assets, ready for any static
//! file server.

use askama::Template;
use scraper::{Html, Selector};
use std::{collections::HashSet, fs, path::Path};

use crate::domain::RunOutcome;
use crate::domain::health::{RecentRun, Rhythm};

use super::{
    assets,
    call_view::CallView,
    charts::{
        run_chart::{Bar, RunChart},
        strip::{Expected, Strip},
    },
    explained::Explained,
    forms::field::{FieldKind, FieldView, FieldWidth, FormErrors},
    layout::{EnvironmentChoice, Flash, Layout, NavEntry, PersonView, Theme},
    numbers,
    status::Status,
    table::{Direction, PageLinks, SortLink},
    times::{TimeView, Times},
};

#[derive(Template)]
#[template(path = "gallery.html")]
struct GalleryPage {
    layout: Layout,
    chart: RunChart,
    columns: Vec<SortLink>,
    runs: Vec<RunRow>,
    links: PageLinks,
    now: TimeView,
    call: CallView,
    failures: [Explained; 4],
    form_errors: FormErrors,
    form_fields: Vec<FieldView>,
}

#[derive(Template)]
#[template(path = "gallery_sign_in.html")]
struct SignInPage {
    layout: Layout,
    form_fields: Vec<FieldView>,
}

struct RunRow {
    time: TimeView,
    status: Status,
    duration: String,
    stored: String,
    strip: Strip,
}

/// Text that would become markup if any template let it.
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
const NOW: i64 = 1_774_076_400_000;

fn statuses() -> Vec<Status> {
    let mut statuses = vec![Status::Succeeded; 30];
    for (index, status) in [
        (9, Status::Partial),
        (16, Status::Failed),
        (17, Status::Failed),
        (22, Status::Late),
        (25, Status::Waiting),
        (29, Status::Running),
    ] {
        statuses[index] = status;
    }
    statuses
}

fn chart(times: &Times) -> RunChart {
    let values = [
        41., 38., 45., 39., 37., 45., 56., 54., 53., 41., 48., 42., 40., 38., 41.,
    ];
    let bars: Vec<_> = statuses()
        .into_iter()
        .enumerate()
        .map(|(index, status)| {
            let time = times.at(NOW - (29 - index as i64) * 86_400_000);
            let value = match status {
                Status::Failed => 20.0 - index as f64 / 4.0,
                Status::Running => 21.0,
                _ => values[index % values.len()],
            };
            Bar {
                href: (status != Status::Late).then(|| format!("/runs/{index}")),
                label: format!("{}, {}, {value} min", time.local(), status.word().to_lowercase()),
                day: time.day().to_string(),
                value,
                status,
            }
        })
        .collect();
    RunChart::new(
        "runs",
        "Last 30 runs, duration in minutes",
        Strip::new(&recent(30), Expected::default()).label,
        &bars,
        Some((38.0, 56.0)),
    )
}

fn fields() -> Vec<FieldView> {
    let kinds = [("hourly", "Every hour"), ("daily", "Every day"), ("once", "Once")];
    let mut name = FieldView::new(FieldKind::Text, "name", "Name")
        .hint("As colleagues know it.")
        .value(HOSTILE);
    name.error = "Another flow has this name. Give it one of its own.".into();
    let mut every = FieldView::new(FieldKind::Presets, "every", "How often")
        .options(kinds)
        .value("daily");
    every.hint = "In Europe/Paris.".into();
    let mut secret = FieldView::new(FieldKind::Secret, "secret", "Secret access key").hint("40 characters.");
    secret.secret_set = true;
    secret.value = "must never be shown".into();
    let mut format =
        FieldView::new(FieldKind::Radio, "format", "Format").options([("csv", "CSV"), ("json", "JSON")]);
    format.error = "Choose a format.".into();
    vec![
        name,
        every,
        secret,
        format,
        FieldView::new(FieldKind::Select, "region", "Region")
            .options([("eu", "Europe"), ("us", "America")])
            .value("us"),
        FieldView::new(FieldKind::Number, "errors", "Errors allowed, in percent")
            .width(FieldWidth::Short)
            .value("5"),
        FieldView::new(FieldKind::Date, "end", "End")
            .optional()
            .width(FieldWidth::Medium),
        FieldView::new(FieldKind::DateTime, "start", "First run")
            .width(FieldWidth::Medium)
            .value("2026-03-21T08:00"),
        FieldView::new(FieldKind::Proposals, "schema", "Schema")
            .options([("loyalty", "Loyalty"), ("orders", "Orders")]),
        FieldView::new(FieldKind::Checkbox, "backfill", "Bring older files too")
            .value("on")
            .hint("On the first run."),
        FieldView::new(FieldKind::Textarea, "note", "Note")
            .optional()
            .value(HOSTILE),
    ]
}

fn layout(theme: Theme) -> Layout {
    let person = PersonView {
        name: "Léa Martin".into(),
        role: "editor".into(),
        team: "Retail".into(),
        may_create: true,
    };
    let mut layout = Layout::signed_in(
        "Loyalty daily",
        "0199c1b2-7e1f-7d43-9c55-2f8a10c6f001",
        person,
        "csrf-token",
    );
    layout.theme = theme;
    layout.environments = [("prod", true), ("dev", false)]
        .map(|(sandbox, is_production)| EnvironmentChoice {
            id: sandbox.into(),
            name: format!("Marketing {sandbox}"),
            sandbox: sandbox.into(),
            is_production,
            selected: is_production,
        })
        .into();
    layout.active = Some(NavEntry::Flows);
    layout.counts = vec![
        (NavEntry::Overview, 4),
        (NavEntry::Flows, 128),
        (NavEntry::Findings, 3),
        (NavEntry::Templates, 9),
    ];
    layout.flash = vec![Flash {
        status: Status::Succeeded,
        text: "The flow was created: Loyalty daily.".into(),
    }];
    layout.read_at = Some(Times::new("Europe/Paris", NOW + 8000).at(NOW));
    layout.demo = Some("Demonstration: everything you see comes from the built-in emulator.".into());
    layout.alarm = Some("The server cannot save: its disk is full. Everything can be read.");
    layout.refresh_seconds = Some(30);
    layout
}

/// Runs of every outcome, day after day.
fn recent(count: i64) -> Vec<RecentRun> {
    let run = |number: i64| RecentRun {
        outcome: RunOutcome::ALL[usize::try_from(number).unwrap_or(0) % RunOutcome::ALL.len()],
        started_at: NOW - (count - number) * 86_400_000,
        duration_ms: Some(600_000),
        records_out: Some(1000 * number),
    };
    (0..count).map(run).collect()
}

fn gallery(theme: Theme) -> String {
    let times = Times::new("Europe/Paris", NOW + 48 * 60_000);
    let form_fields = fields();
    let column = |label: &str, sorted, numeric| SortLink {
        label: label.into(),
        href: Some(format!("/runs?sort={}", label.to_lowercase())),
        sorted,
        numeric,
    };
    let run = |ago: i64, status, duration_ms, stored| RunRow {
        time: times.at(NOW - ago * 86_400_000),
        status,
        duration: numbers::duration(duration_ms).to_string(),
        stored: numbers::count(stored).to_string(),
        strip: Strip::new(
            &recent(30 - ago),
            Expected {
                rhythm: Rhythm::of(Some("day"), None, Some(0), Some((1, 0))),
                late: 0,
            },
        ),
    };
    let page = GalleryPage {
        layout: layout(theme),
        chart: chart(&times),
        columns: vec![
            column("Started", Some(Direction::Descending), false),
            column("Status", None, false),
            column("Duration", None, true),
            column("Stored", None, true),
            SortLink {
                href: None,
                ..column("Runs", None, false)
            },
        ],
        runs: vec![
            run(0, Status::Running, 720_000, 0),
            run(1, Status::Succeeded, 2_640_000, 10_204),
            run(2, Status::Partial, 3_060_000, 9871),
            run(12, Status::Failed, 840_000, 0),
        ],
        links: PageLinks {
            summary: "26–29 of 128 runs".into(),
            previous: Some("/runs?before=30".into()),
            next: Some("/runs?after=25".into()),
        },
        now: times.at(NOW),
        failures: [
            Explained::new("CONNECTOR-1001-500", HOSTILE),
            Explained::new(HOSTILE, HOSTILE),
            Explained::new("", HOSTILE),
            Explained::new("", ""),
        ],
        call: CallView {
            id: "call-1".into(),
            method: "POST".into(),
            path: "/data/foundation/flowservice/sourceConnections".into(),
            outcome: Some("201 in 0.9 s".into()),
            body: format!("{{\n  \"name\": \"{HOSTILE}\"\n}}"),
            curl: "curl -X POST …".into(),
            answer: "{\n  \"id\": \"26b53912-1005-49f0-b539-12100559f0e2\"\n}".into(),
        },
        form_errors: FormErrors::of(&form_fields),
        form_fields,
    };
    page.render().unwrap()
}

fn sign_in(theme: Theme) -> String {
    let mut layout = Layout::signed_out("Sign in", "0199c1b2-7e1f-7d43-9c55-2f8a10c6f001");
    layout.theme = theme;
    let mut name = FieldView::new(FieldKind::Text, "name", "Name").width(FieldWidth::Full);
    name.autocomplete = "username";
    let mut password = FieldView::new(FieldKind::Secret, "password", "Password").width(FieldWidth::Full);
    password.autocomplete = "current-password";
    SignInPage {
        layout,
        form_fields: vec![name, password],
    }
    .render()
    .unwrap()
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).collect()
}

fn pages() -> [(&'static str, String); 5] {
    [
        ("gallery-light.html", gallery(Theme::Light)),
        ("gallery-dark.html", gallery(Theme::Dark)),
        ("gallery-system.html", gallery(Theme::System)),
        ("sign-in-light.html", sign_in(Theme::Light)),
        ("sign-in-dark.html", sign_in(Theme::Dark)),
    ]
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
