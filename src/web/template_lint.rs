//! Reads every template and fails on what the content policy would block or what could let text become markup.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::assets;

fn templates() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"),
        &mut found,
    );
    assert!(found.len() > 15, "the templates were not found");
    found
}

/// What a line of a template does that it may not do.
fn faults(line: &str) -> Vec<&'static str> {
    let lower = line.to_lowercase();
    let squeezed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    let mut faults = Vec::new();
    for (pattern, fault) in [
        ("|safe", "|safe lets text become markup"),
        (
            "|escape(",
            "another escaper than the file's lets text become markup",
        ),
        ("escape=\"none\"", "escaping is off"),
        ("{%filter", "a filter block can switch escaping off"),
        ("javascript:", "javascript: URLs are blocked"),
        ("hx-on", "hx-on needs eval"),
        ("hx-vals", "hx-vals takes values as code"),
        ("hx-vars", "hx-vars takes values as code"),
        ("hx-headers", "hx-headers takes values as code"),
        ("srcdoc=", "srcdoc holds markup"),
        ("<style", "inline styles are blocked; use static/headgate.css"),
    ] {
        if squeezed.contains(pattern) {
            faults.push(fault);
        }
    }
    if attributes(&lower).any(|name| name == "style") {
        faults.push("style attributes are blocked; use a class");
    }
    if attributes(&lower).any(|name| name.len() > 2 && name.starts_with("on") && !name.contains('-')) {
        faults.push("inline handlers are blocked; listen in static/app.js");
    }
    for script in lower.split("<script").skip(1) {
        if !script.starts_with(" src=\"{{ crate::web::assets::asset(") || !script.contains("></script>") {
            faults.push("scripts are own files: <script src=\"{{ asset(…) }}\"></script>");
        }
    }
    for value in ["href", "src", "action"]
        .iter()
        .flat_map(|name| values_of(&lower, name))
    {
        let target = value.trim_start_matches(['"', '\'']);
        if ["http:", "https:", "//"]
            .iter()
            .any(|start| target.starts_with(start))
        {
            faults.push("links lead to own routes only");
        }
    }
    if squeezed.contains("={{") {
        faults.push("attribute values stand in quotes");
    }
    if let Some(trigger) = values_of(&lower, "hx-trigger").next()
        && trigger.contains('[')
    {
        faults.push("trigger filters need eval");
    }
    faults
}

/// The names of all `name=` in a line.
fn attributes(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('=').filter_map(|(at, _)| {
        let before = &line[..at];
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':'))
            .map_or(0, |i| i + 1);
        let follows_space = before[..start].ends_with([' ', '\n', '\t', '"', '}']);
        (start < at && (follows_space || start == 0)).then_some(&before[start..])
    })
}

/// What follows each `name=` in a line.
fn values_of<'a>(line: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices('=').filter_map(move |(at, _)| {
        let before = &line[..at];
        (before.ends_with(name) && !before[..at - name.len()].ends_with('-')).then_some(&line[at + 1..])
    })
}

#[test]
fn templates_hold_nothing_that_the_content_policy_blocks() {
    let mut found = Vec::new();
    for (path, text) in templates() {
        for (number, line) in text.lines().enumerate() {
            found.extend(
                faults(line)
                    .into_iter()
                    .map(|fault| format!("{}:{}: {fault}", path.display(), number + 1)),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn templates_name_only_assets_and_icons_that_exist() {
    let icons = assets::text("icons.svg");
    for (path, text) in templates() {
        for name in text
            .split("asset(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                !assets::asset(name).is_empty(),
                "{} names the missing file static/{name}",
                path.display()
            );
        }
        for name in text
            .split("icon(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                icons.contains(&format!("id=\"{name}\"")),
                "{}: no icon {name}",
                path.display()
            );
        }
    }
}

#[test]
fn the_lint_finds_each_fault() {
    for line in [
        "{{ name|safe }}",
        "{{ name | safe }}",
        "<p style=\"color:red\">",
        "<p class=\"a\"style='x'>",
        "<a onclick=\"x()\">",
        "<body ONLOAD=x>",
        "<a href=\"javascript:x\">",
        "<a href=\"https://elsewhere.example/\">",
        "<img src=//elsewhere.example/x>",
        "<form action=\"//elsewhere.example\">",
        "<script>let a = {{ a }}</script>",
        "<script src=\"/x.js\"></script>",
        "<style>p{}</style>",
        "<div hx-on:click=\"x\">",
        "<div hx-vals='{\"a\":1}'>",
        "<div hx-trigger=\"click[ctrlKey]\">",
        "<input value={{ value }}>",
    ] {
        assert!(!faults(line).is_empty(), "not found: {line}");
    }
    for line in [
        "<p class=\"a\" data-onward=\"1\">one = two</p>",
        "<a href=\"/flows?sort=name\">",
        "{% if version == one %}<option value=\"on\">{% endif %}",
        "<path class=\"cut\" d=\"M0 0\"/>",
    ] {
        assert_eq!(faults(line), Vec::<&str>::new(), "{line}");
    }
}
