use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn all() -> impl Iterator<Item = (&'static Family, &'static Failure)> {
    families()
        .iter()
        .flat_map(|family| family.failures.iter().map(move |failure| (family, failure)))
}

/// The numbers of Adobe's list of Flow Service errors, by their HTTP status; the list itself is not ours to copy.
const FLOW_SERVICE: &[(&str, &[std::ops::RangeInclusive<u16>])] = &[
    (
        "400",
        &[
            1100..=1100,
            1401..=1403,
            1405..=1458,
            2105..=2105,
            2110..=2110,
            2112..=2115,
            2119..=2119,
        ],
    ),
    ("401", &[2000..=2002]),
    ("403", &[2111..=2111, 2118..=2118, 2120..=2121]),
    ("404", &[1101..=1101, 2100..=2101, 2103..=2103, 2106..=2106]),
    ("412", &[1404..=1404]),
    (
        "500",
        &[
            1102..=1102,
            1400..=1400,
            2102..=2102,
            2104..=2104,
            2107..=2108,
            2116..=2117,
            2200..=2200,
            2250..=2250,
        ],
    ),
    ("503", &[1103..=1103]),
    ("504", &[1104..=1104]),
];

#[test]
fn the_code_that_says_why_is_told_before_the_one_that_says_where() {
    let place = |codes: &[&str]| {
        most_telling(
            codes
                .iter()
                .map(|code| Some(*code).filter(|code| !code.is_empty())),
        )
    };
    assert_eq!(place(&[]), None);
    assert_eq!(place(&["CONNECTOR-2001-500"]), Some(0));
    assert_eq!(place(&["CONNECTOR-2001-500", "133"]), Some(1));
    let three = ["CONNECTOR-2001-500", "INGEST-1212-400", "MAPPER-3700-400"];
    assert_eq!(place(&three), Some(2));
    assert_eq!(
        place(&["", "133"]),
        Some(1),
        "one without a code explains nothing"
    );
    assert_eq!(place(&["133", "MAPPER-3700-400"]), Some(0));
    assert_eq!(place(&["CONNECTOR-2001-500", "NEWS-1-400"]), Some(0));
}

#[test]
fn every_documented_code_of_flow_service_is_explained_as_its_own() {
    let mut count = 0;
    for (status, numbers) in FLOW_SERVICE {
        for number in numbers.iter().cloned().flatten() {
            let code = format!("{number}-{status}");
            let failure = explain(&code).unwrap_or_else(|| panic!("{code} is not explained"));
            assert!(failure.codes.contains(&code), "{code}: {:?}", failure.codes);
            count += 1;
        }
    }
    assert_eq!(count, 90);
    for code in [
        "CONNECTOR-1001-500",
        "CONNECTOR-2001-500",
        "INGEST-1212-400",
        "MAPPER-3700-400",
        "133",
        "403010",
        "429050",
        "invalid_client",
        "XDM-1521-400",
    ] {
        assert!(explain(code).is_some(), "{code}");
    }
}

#[test]
fn each_failure_has_a_cause_somebody_and_a_way_of_its_own() {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, failure) in all() {
        let code = failure.code();
        for (part, text) in [
            ("title", &failure.title),
            ("cause", &failure.cause),
            ("how", &failure.how),
        ] {
            let words = text.split_whitespace().count();
            assert!(words >= 3, "{code}: {part} is too short: {text:?}");
            assert_eq!(text.trim(), text, "{code}: {part}");
            let lower = text.to_lowercase();
            for placeholder in ["todo", "tbd", "lorem", "xxx", "…", "{", "}"] {
                assert!(!lower.contains(placeholder), "{code}: {part}: {text:?}");
            }
            if let Some(other) = seen.insert(text, code) {
                panic!("{code} and {other} say the same: {text:?}");
            }
        }
        assert!(
            failure.cause.ends_with('.') && failure.how.ends_with('.'),
            "{code}"
        );
        assert!(
            !failure.title.ends_with('.') && failure.title.len() <= 80,
            "{code}"
        );
        assert!(!failure.source().is_empty(), "{code}");
        if failure.who == Who::Headgate {
            assert!(failure.how.to_lowercase().contains("report"), "{code}");
        }
    }
    let who: BTreeSet<Who> = all().map(|(_, failure)| failure.who).collect();
    assert_eq!(who.len(), Who::ALL.len());
}

#[test]
fn no_code_stands_in_the_catalogue_twice() {
    let mut codes = BTreeSet::new();
    for (_, failure) in all() {
        for code in &failure.codes {
            assert!(codes.insert(code.to_uppercase()), "{code}");
            assert!(code.len() <= 40 && !code.contains('/'), "{code}");
        }
    }
}

#[test]
fn a_number_that_only_the_status_makes_clear_is_not_guessed() {
    let title = |code: &str| explain(code).map(|failure| failure.title.as_str());
    assert_ne!(title("1102-500"), title("1102-404"));
    assert_eq!(title("1102-418"), None);
    assert_eq!(title("FLOW-1439-404"), title("1439-400"));
    assert_eq!(title("FLOW-1418-409"), title("1418-400"));
    // A run's own codes have no prefix and no status; those of others are not meant by a number alone.
    assert_ne!(title("2200"), title("2200-500"));
    assert_eq!(title("1418"), None);
    for unknown in [
        "",
        "-",
        "FLOW-",
        "0000-400",
        "FLOW-0000-400",
        "INGEST-9999-400",
        "INGEST-1418-400",
        "💥",
    ] {
        assert_eq!(title(unknown), None, "{unknown}");
    }
}

#[test]
fn words_are_looked_for_everywhere() {
    let tells = |text: &str| {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        all().filter(|(_, failure)| failure.tells(&words)).count()
    };
    assert_eq!(tells("1418-400"), 1);
    assert!(tells("mapping") > 5);
    assert!(tells("mapping schema") < tells("mapping"));
    assert_eq!(tells("no such words anywhere"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        let _ = explain(&text);
        let _ = explain(&format!("FLOW-{text}"));
        let _ = explain(&format!("{text}/1418-400"));
        prop_assert!(explain(&text.repeat(1000)).is_none() || text.len() * 1000 <= 500);
    }

    #[test]
    fn each_code_is_found_in_every_spelling(
        picked in any::<prop::sample::Index>(),
        capitals in prop::collection::vec(any::<bool>(), 40),
        around in prop::sample::select(vec![
            ("", ""), ("  ", " \n"), ("\"", "\""), ("(", ")."), ("https://ns.adobe.com/aep/errors/", ""),
            ("http://ns.adobe.com/aep/errors/", "/"), ("/help/errors/", "?from=run"), ("x/", "#top"),
        ]),
    ) {
        let codes: Vec<(&Family, &Failure, &String)> = all()
            .flat_map(|(family, failure)| failure.codes.iter().map(move |code| (family, failure, code)))
            .collect();
        let (family, failure, code) = picked.get(&codes);
        let prefixed = format!("{}-{code}", family.prefix);
        let spellings = if family.prefix.is_empty() { vec![code.as_str()] } else { vec![code.as_str(), &prefixed] };
        for spelling in spellings {
            let mixed: String = spelling
                .chars()
                .zip(capitals.iter().cycle())
                .map(|(c, up)| if *up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect();
            let written = format!("{}{mixed}{}", around.0, around.1);
            let found = explain(&written);
            prop_assert_eq!(found.map(Failure::code), Some(failure.code()), "{}", written);
        }
    }
}
