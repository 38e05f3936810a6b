//! What the form of a dataflow answers to mistakes: section 16 of the reliability promises.

use reqwest::StatusCode;

use crate::support::app::App;

const BLOB: &str = "/flows/new/azure-blob";
const S3: &str = "/flows/new/amazon-s3";
const SECRET: &str = "a-secret-of-our-own";

/// A mistake, made in a form that is right otherwise.
struct Case {
    promise: &'static str,
    action: &'static str,
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    words: &'static str,
}

const fn case(
    promise: &'static str,
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    words: &'static str,
) -> Case {
    Case {
        promise,
        action: S3,
        changes,
        code,
        words,
    }
}

/// What makes the form of Amazon S3 right.
const RIGHT: &[(&str, &str)] = &[
    ("flow_name", "Loyalty"),
    ("auth.s3AccessKey", "AKIAEXAMPLE"),
    ("auth.s3SecretKey", SECRET),
    ("path", "partners-demo/samples"),
];

const LONG: &str =
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123";

const CASES: &[Case] = &[
    case(
        "E1",
        &[("flow_name", "  ")],
        "input.missing",
        "Flow name is needed.",
    ),
    case(
        "E2",
        &[("flow_name", LONG)],
        "input.too_long",
        "at most 100 characters (you entered 103)",
    ),
    case(
        "E3",
        &[("flow_name", "Loyal\u{200b}ty")],
        "input.characters",
        "invisible character at position 6",
    ),
    case(
        "E5",
        &[("owner", "mallory")],
        "input.unexpected",
        "a field that this page does not have",
    ),
    case(
        "E6",
        &[("repeat", "custom"), ("frequency", "hour"), ("interval", "1e3")],
        "input.number",
        "Interval must be a whole number.",
    ),
    case(
        "E6",
        &[
            ("repeat", "custom"),
            ("frequency", "hour"),
            ("interval", "9223372036854775808"),
        ],
        "input.number",
        "Interval must be a whole number.",
    ),
    case(
        "E7",
        &[("repeat", "custom"), ("frequency", "minute"), ("interval", "14")],
        "schedule.interval_min",
        "at least 15",
    ),
    case(
        "E8",
        &[("repeat", "custom"), ("frequency", "once"), ("interval", "2")],
        "schedule.once",
        "one-time",
    ),
    case(
        "E9",
        &[
            ("start", "at"),
            ("start_at", "2020-01-01T06:00"),
            ("start_zone", "UTC"),
        ],
        "schedule.past",
        "at least 5 minutes from now",
    ),
    case(
        "E11",
        &[
            ("start", "at"),
            ("start_at", "2027-03-28T02:30"),
            ("start_zone", "Europe/Berlin"),
        ],
        "schedule.zone",
        "Europe/Berlin",
    ),
    case(
        "E12",
        &[("path", "a/../b")],
        "path.invalid",
        "Path may not contain",
    ),
    case("E12", &[("path", "a\\b")], "path.invalid", "Path may not contain"),
    case(
        "E15",
        &[("auth.s3SecretKey", "short")],
        "secret.short",
        "at least 8 characters",
    ),
];

#[tokio::test]
async fn each_mistake_is_named_and_nothing_but_secrets_is_lost() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let empty = ana.get(S3).await;
    for case in CASES {
        let mut fields = RIGHT.to_vec();
        fields.retain(|(name, _)| case.changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(case.changes);
        let page = ana.submit(&empty, case.action, &fields).await;
        let (promise, text) = (case.promise, page.text());
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{promise}: {text}");
        assert!(
            page.codes().iter().any(|code| code == case.code),
            "{promise}: {:?}",
            page.codes()
        );
        assert!(text.contains(case.words), "{promise}: {text}");
        assert!(!page.body.contains(SECRET), "{promise} repeats a secret");
        let kept = page.form(case.action);
        for (name, value) in fields
            .iter()
            .filter(|(name, _)| *name != "auth.s3SecretKey" && *name != "owner")
        {
            let found = kept.iter().find(|(field, _)| field == name);
            assert_eq!(
                found.map(|(_, v)| v.as_str()),
                Some(*value),
                "{promise} loses {name}"
            );
        }
    }
}

#[tokio::test]
async fn e5_a_field_sent_twice_is_refused() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let mut fields = ana.get(S3).await.form(S3);
    fields.push(("path".into(), "one".into()));
    fields.push(("path".into(), "two".into()));
    let page = ana.post(S3, &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.codes().contains(&"input.unexpected".to_owned()),
        "{:?}",
        page.codes()
    );
}

#[tokio::test]
async fn e13_a_bad_sas_uri_is_told_apart_and_never_repeated() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let empty = ana.get(BLOB).await;
    let sound = "https://acme.blob.core.windows.net/box?sv=2022&se=2099-01-01T00:00:00Z&sig=c2VjcmV0c2ln";
    for uri in [
        sound.replace("https:", "http:"),
        sound.replace("sig=", "sic="),
        sound.replace("2099", "2019"),
        sound.replace("acme.blob.core.windows.net", "evil.example"),
    ] {
        let fields = [
            ("flow_name", "Loyalty"),
            ("auth", "SAS URI Authentication"),
            ("auth.sasUri", &uri),
            ("path", "box/samples"),
        ];
        let page = ana.submit(&empty, BLOB, &fields).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{uri}: {}",
            page.text()
        );
        assert!(
            page.codes().contains(&"secret.sas".to_owned()),
            "{uri}: {:?}",
            page.codes()
        );
        assert!(!page.body.contains("c2VjcmV0c2ln"), "{uri}");
    }
}
