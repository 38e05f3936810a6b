//! Every component on one page, so that tests (`gallery_tests`) render them all and people can look at them.
//!
//! `HEADGATE_GALLERY=<folder> cargo test gallery` also writes the pages with their assets, ready for any static
//! file server.

use askama::Template;

use crate::domain::RunOutcome;
use crate::domain::health::{Expected, RecentRun, Rhythm, Wanted};

use super::{
    call_view::CallView,
    charts::{
        run_chart::{Bar, RunChart},
        strip::Strip,
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
pub(super) const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
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
        Strip::new(&recent(30), &Expected::default()).label,
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
        window_start_at: None,
        window_end_at: None,
    };
    (0..count).map(run).collect()
}

pub(super) fn gallery(theme: Theme) -> String {
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
            &Expected {
                rhythm: Rhythm::of(Some("day"), None, Some(0), Wanted::of_first(true), None),
                late: None,
                until_at: None,
                made_again_at: &[],
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

pub(super) fn pages() -> [(&'static str, String); 5] {
    [
        ("gallery-light.html", gallery(Theme::Light)),
        ("gallery-dark.html", gallery(Theme::Dark)),
        ("gallery-system.html", gallery(Theme::System)),
        ("sign-in-light.html", sign_in(Theme::Light)),
        ("sign-in-dark.html", sign_in(Theme::Dark)),
    ]
}
