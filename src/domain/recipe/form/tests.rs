use std::collections::BTreeMap;

use super::*;
use crate::domain::connector::connector;
use crate::domain::recipe::samples::{blob_delimited, s3_parquet};
use crate::domain::recipe::{Connection, SecretSource, to_form};

const NOW_MS: i64 = 1_764_000_000_000;

/// Reads a form for an S3 flow after changing some of its fields.
fn read(changes: &[(&str, &str)]) -> (ReadForm, Vec<(String, &'static str)>) {
    let mut form = to_form(&s3_parquet(), "UTC");
    form.insert("auth.s3SecretKey".into(), "canary-secret-value".into());
    form.extend(changes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let mut typed = Typed::new(form.into_iter().collect());
    let read = read_recipe(
        &mut typed,
        connector("amazon-s3").unwrap(),
        Purpose::Flow,
        &BTreeSet::new(),
        NOW_MS,
    );
    (
        read,
        typed.finish().into_iter().map(|p| (p.field, p.code)).collect(),
    )
}

fn fault(changes: &[(&str, &str)]) -> Vec<(String, &'static str)> {
    read(changes).1
}

fn one(field: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(field.to_owned(), code)]
}

#[test]
fn a_recipe_survives_its_form() {
    let (form, faults) = read(&[]);
    assert_eq!(faults, []);
    assert_eq!(form.recipe, s3_parquet());
    assert_eq!(form.secrets.keys().collect::<Vec<_>>(), ["auth.s3SecretKey"]);
    assert!(!format!("{form:?}").contains("canary"), "Debug shows no secret");
}

#[test]
fn a_delimited_recipe_survives_its_form() {
    let mut recipe = blob_delimited();
    recipe.connection = Connection::New {
        spec_name: "ConnectionString".into(),
        fields: BTreeMap::new(),
        secrets: BTreeMap::from([("connectionString".into(), SecretSource::Stored)]),
    };
    recipe.column_delimiter = "\t".into();
    let mut typed = Typed::new(to_form(&recipe, "UTC").into_iter().collect());
    let kept = BTreeSet::from(["auth.connectionString".to_owned()]);
    let read = read_recipe(
        &mut typed,
        connector("azure-blob").unwrap(),
        Purpose::Flow,
        &kept,
        NOW_MS,
    );
    assert_eq!(typed.finish(), []);
    assert_eq!(read.recipe, recipe);
}

#[test]
fn e1_to_e3_texts() {
    assert_eq!(fault(&[("flow_name", " ")]), one("flow_name", "input.missing"));
    assert_eq!(
        fault(&[("flow_name", &"x".repeat(143))])[0],
        ("flow_name".into(), "input.too_long")
    );
    assert_eq!(
        fault(&[("flow_name", "Loyal\u{200b}ty")])[0],
        ("flow_name".into(), "input.characters")
    );
    assert_eq!(
        fault(&[("auth.s3AccessKey", "")]),
        one("auth.s3AccessKey", "input.missing")
    );
    assert_eq!(
        fault(&[("auth.s3SecretKey", "")]),
        one("auth.s3SecretKey", "input.missing")
    );
}

#[test]
fn e5_fields_that_the_page_does_not_have() {
    assert_eq!(fault(&[("owner", "me")]), one("owner", "input.unexpected"));
    let pairs = vec![
        ("path".to_owned(), "a".to_owned()),
        ("path".to_owned(), "b".to_owned()),
    ];
    assert_eq!(Typed::new(pairs).problems[0].code, "input.unexpected");
}

#[test]
fn e6_numbers() {
    for bad in ["abc", "1e3", " 15", "-1", "9223372036854775808", "1.5"] {
        let faults = fault(&[("repeat", "custom"), ("frequency", "hour"), ("interval", bad)]);
        assert_eq!(faults, one("interval", "input.number"), "{bad}");
    }
}

#[test]
fn e7_to_e9_schedules() {
    let custom = |frequency, interval| {
        fault(&[
            ("repeat", "custom"),
            ("frequency", frequency),
            ("interval", interval),
        ])
    };
    assert_eq!(custom("minute", "14"), one("interval", "schedule.interval_min"));
    assert_eq!(custom("minute", "15"), []);
    assert!(custom("once", "3").contains(&("interval".to_owned(), "schedule.once")));
    assert!(custom("once", "").contains(&("backfill".to_owned(), "schedule.once")));
    assert_eq!(
        fault(&[("start", "at"), ("start_at", "2020-01-01T00:00")]),
        one("start_at", "schedule.past")
    );
}

#[test]
fn e11_clock_changes_are_asked_back() {
    let at = |text| {
        fault(&[
            ("start", "at"),
            ("start_at", text),
            ("start_zone", "Europe/Paris"),
        ])
    };
    assert_eq!(at("2026-03-29T02:30"), one("start_at", "schedule.zone"));
    assert_eq!(at("2026-10-25T02:30"), one("start_at", "schedule.zone"));
    assert_eq!(at("2026-03-29T03:30"), []);
}

#[test]
fn e12_paths_and_e13_sas() {
    assert_eq!(fault(&[("path", "a/../b")]), one("path", "path.invalid"));
    let mut typed = Typed::new(vec![
        ("connection".into(), "new".into()),
        ("auth".into(), "SAS URI Authentication".into()),
        (
            "auth.sasUri".into(),
            "https://acme.blob.core.windows.net/?se=2040-01-01".into(),
        ),
    ]);
    read_recipe(
        &mut typed,
        connector("azure-blob").unwrap(),
        Purpose::Flow,
        &BTreeSet::new(),
        NOW_MS,
    );
    let problem = typed
        .finish()
        .into_iter()
        .find(|p| p.field == "auth.sasUri")
        .unwrap();
    assert_eq!(problem.code, "secret.sas");
    assert!(!problem.message.contains("acme"));
}

#[test]
fn e15_short_secrets() {
    assert_eq!(
        fault(&[("auth.s3SecretKey", "short")]),
        one("auth.s3SecretKey", "secret.short")
    );
}

#[test]
fn presets_need_no_further_fields() {
    for (preset, sentence) in [
        ("once", "once"),
        ("15min", "every 15 minutes"),
        ("day", "every day"),
        ("week", "every week"),
    ] {
        let (form, faults) = read(&[("repeat", preset), ("interval", ""), ("backfill", "on")]);
        assert_eq!(
            (faults, form.recipe.schedule.sentence().as_str()),
            (vec![], sentence)
        );
    }
}

#[test]
fn a_template_asks_for_a_secret_by_a_blank() {
    let mut form = to_form(&s3_parquet(), "UTC");
    for (name, value) in [
        ("auth.s3SecretKey", "{{ key }}"),
        ("parameter.1.name", "key"),
        ("parameter.1.kind", "secret"),
        ("parameter.1.label", "Secret key"),
    ] {
        form.insert(name.into(), value.into());
    }
    let mut typed = Typed::new(form.into_iter().collect());
    let s3 = connector("amazon-s3").unwrap();
    let read = read_recipe(&mut typed, s3, Purpose::Template, &BTreeSet::new(), NOW_MS);
    assert_eq!(typed.finish(), []);
    let source = SecretSource::Parameter { name: "key".into() };
    assert_eq!(read.recipe.secret_sources()["s3SecretKey"], source);
    let answers = BTreeMap::from([("key".to_owned(), "short".to_owned())]);
    assert_eq!(
        check_secret_answers(s3, &read.recipe, &answers, NOW_MS)[0].code,
        "secret.short"
    );
}
