//! Holds `src/` against the picture of the house: who may import whom, and which room may see which crate.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Rooms by level. A room imports rooms of lower levels only; rooms on one level don't know each other.
const LEVELS: &[&[&str]] = &[
    &["domain"],
    &["vault", "config", "telemetry", "lifecycle"],
    &["store", "platform"],
    &["audit"],
    &[
        "accounts",
        "environments",
        "connection_templates",
        "setups",
        "history",
        "sweep",
    ],
    &["web"],
    &["bootstrap"],
    &["cli"],
    &["main"],
];

/// Stands beside the house: imports no room, and only these rooms know it.
const EMULATOR: &str = "emulator";
const KNOW_THE_EMULATOR: &[&str] = &["cli"];

/// Crates that only some places may see, and where what needs them belongs.
const CRATES: &[(&str, &[&str], &str)] = &[
    (
        "sqlx",
        &["store"],
        "write a function in src/store/, in the file of its table, and call that",
    ),
    (
        "reqwest",
        &["platform", "accounts::oidc"],
        "put the call into src/platform/ and call that",
    ),
    (
        "axum",
        &["web", EMULATOR],
        "handlers, extractors and answers live in src/web/",
    ),
    ("axum_extra", &["web"], "cookies and headers are read in src/web/"),
    (
        "askama",
        &["web"],
        "a page's struct lives beside its handler in src/web/pages/",
    ),
];

/// A path in the source: where it stands and what it names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    line: usize,
    /// Modules from the crate's root, such as `web::pages::setups`.
    from: Vec<String>,
    /// With `crate` or a foreign crate's name first.
    path: Vec<String>,
}

/// One import against the picture.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Offence {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// What a source file mentions, and which of its child modules exist in tests only.
#[derive(Debug, Default)]
struct Reading {
    mentions: BTreeSet<Mention>,
    test_modules: BTreeSet<Vec<String>>,
}

impl Reading {
    fn of(source: &str, module: &[String]) -> Self {
        let mut reading = Self::default();
        let tokens = TokenStream::from_str(source).expect("cargo compiled this file");
        reading.walk(tokens, &mut module.to_vec());
        reading
    }

    fn walk(&mut self, stream: TokenStream, module: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if is_cfg_test(&tokens[at..]) {
                at = self.skip_test_item(&tokens, at + 2, module);
                continue;
            }
            match (token, tokens.get(at + 1), tokens.get(at + 2)) {
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(TokenTree::Group(body)))
                    if word == "mod" =>
                {
                    module.push(name.to_string());
                    self.walk(body.stream(), module);
                    module.pop();
                    at += 3;
                }
                (TokenTree::Ident(_), ..) => at = self.path(&tokens, at, &[], module),
                (TokenTree::Group(group), ..) => {
                    self.walk(group.stream(), module);
                    at += 1;
                }
                // What follows `::` or `.` belongs to something already read.
                _ if is_path_separator(&tokens[at..]) => at += 3,
                (TokenTree::Punct(dot), Some(TokenTree::Ident(_)), _) if dot.as_char() == '.' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// Reads `a::b::{c, d::e}` from `at`; answers where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String], module: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let line = tokens[at].span().start().line;
        while let Some(TokenTree::Ident(name)) = tokens.get(at) {
            path.push(name.to_string());
            at += 1;
            if !is_path_separator(&tokens[at.min(tokens.len())..]) {
                break;
            }
            at += 2;
            if let Some(TokenTree::Group(group)) = tokens.get(at)
                && group.delimiter() == Delimiter::Brace
            {
                self.group(group.stream(), &path, module);
                return at + 1;
            }
        }
        let path = absolute(path, module);
        self.mentions.insert(Mention {
            line,
            from: module.to_vec(),
            path,
        });
        at
    }

    fn group(&mut self, stream: TokenStream, prefix: &[String], module: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Ident(_) => self.path(&tokens, at, prefix, module),
                _ => at + 1,
            };
        }
    }

    fn skip_test_item(&mut self, tokens: &[TokenTree], mut at: usize, module: &[String]) -> usize {
        let mut before: Option<String> = None;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at,
                TokenTree::Punct(end) if end.as_char() == ';' => return at,
                TokenTree::Ident(name) => {
                    if before.as_deref() == Some("mod") {
                        self.test_modules.insert([module, &[name.to_string()]].concat());
                    }
                    before = Some(name.to_string());
                }
                _ => {}
            }
        }
        at
    }
}

fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    match tokens {
        [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] => {
            hash.as_char() == '#' && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
        }
        _ => false,
    }
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), ..] => {
            first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
        }
        _ => false,
    }
}

/// `self` and `super` put into words that start at the crate's root.
fn absolute(mut path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let relative = path
        .first()
        .is_some_and(|first| first == "self" || first == "super");
    while path
        .first()
        .is_some_and(|first| first == "self" || first == "super")
    {
        if path.remove(0) == "super" {
            base.pop();
        }
    }
    if relative {
        [vec!["crate".to_owned()], base, path].concat()
    } else {
        path
    }
}

fn level(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}

/// What is wrong with one mention, and where the thing belongs instead.
fn judge(mention: &Mention) -> Option<String> {
    let room = mention.from.first()?.as_str();
    let crate_name = mention.path.first()?.as_str();
    if let ("crate" | "headgate", Some(target)) = (crate_name, mention.path.get(1)) {
        return judge_room(room, target);
    }
    let (_, places, advice) = CRATES
        .iter()
        .find(|(name, ..)| *name == crate_name && mention.path.len() > 1)?;
    let here = mention.from.join("::");
    let allowed = places
        .iter()
        .any(|place| here == *place || here.starts_with(&format!("{place}::")));
    (!allowed).then(|| format!("`{here}` uses the crate `{crate_name}`: {advice}"))
}

fn judge_room(room: &str, target: &str) -> Option<String> {
    if room == target {
        return None;
    }
    if room == EMULATOR {
        return (level(target).is_some()).then(|| {
            format!("the emulator imports `{target}`: it imports nothing from this crate; give it its own in src/emulator/")
        });
    }
    let Some(own) = level(room) else {
        return Some(format!(
            "the room `{room}` is not in the picture: give it a level here and in src/lib.rs"
        ));
    };
    if target == EMULATOR {
        return (!KNOW_THE_EMULATOR.contains(&room)).then(|| {
            format!(
                "`{room}` imports the emulator: only {} may; start it there",
                KNOW_THE_EMULATOR.join(", ")
            )
        });
    }
    // Not a room: an item at the crate's root.
    let other = level(target)?;
    if room == "main" && target != "cli" {
        return Some(format!(
            "`main` imports `{target}`: it only hands over to `cli`; write it in src/cli/"
        ));
    }
    match other.cmp(&own) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(format!(
            "`{room}` imports `{target}`, a room on its own level: put what both need into src/domain/ (types and \
             rules) or src/store/ (rows), or join them in a room above"
        )),
        std::cmp::Ordering::Greater => Some(format!(
            "`{room}` imports `{target}`, a room above it: move what uses it into src/{target}/ or higher, or take it \
             as an argument; pure types belong in src/domain/"
        )),
    }
}

/// The modules from the crate's root to a file, `main` for the binary's; empty for `lib.rs`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut modules: Vec<String> = path.split('/').map(str::to_owned).collect();
    if modules.last().is_some_and(|last| last == "mod" || last == "lib") {
        modules.pop();
    }
    modules
}

/// Everything against the picture in these files, given as path and text.
fn offences(files: &[(String, String)]) -> BTreeSet<Offence> {
    let readings: Vec<(&str, Vec<String>, Reading)> = files
        .iter()
        .map(|(file, text)| {
            let module = module_of(file);
            let reading = Reading::of(text, &module);
            (file.as_str(), module, reading)
        })
        .collect();
    let test_modules: BTreeSet<&Vec<String>> = readings.iter().flat_map(|(.., r)| &r.test_modules).collect();
    let for_tests = |module: &[String]| test_modules.iter().any(|test| module.starts_with(test));
    let mut offences = BTreeSet::new();
    for (file, module, reading) in readings.iter().filter(|(_, module, _)| !for_tests(module)) {
        if let Some(room) = module
            .first()
            .filter(|room| level(room).is_none() && *room != EMULATOR)
        {
            let what =
                format!("the room `{room}` is not in the picture: give it a level here and in src/lib.rs");
            offences.insert(Offence {
                file: (*file).to_owned(),
                line: 1,
                what,
            });
        }
        for mention in &reading.mentions {
            if let Some(what) = judge(mention) {
                offences.insert(Offence {
                    file: (*file).to_owned(),
                    line: mention.line,
                    what,
                });
            }
        }
    }
    offences
}

fn read_sources(directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn imports_run_one_way() {
    let mut files = Vec::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "src/ was not read");
    let found = offences(&files);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.is_empty(),
        "{} imports against the picture:\n{}",
        found.len(),
        told.join("\n")
    );
}

/// Lines with an offence in a made-up file.
fn lines(file: &str, text: &str) -> Vec<usize> {
    offences(&[(file.to_owned(), text.to_owned())])
        .iter()
        .map(|offence| offence.line)
        .collect()
}

#[test]
fn the_test_sees_every_way_to_import_against_the_picture() {
    assert_eq!(lines("src/domain/role.rs", "use crate::store::Store;"), [1]);
    assert_eq!(
        lines(
            "src/domain/role.rs",
            "use crate::{\n    domain::Id,\n    web::{page, error},\n};"
        ),
        [3]
    );
    assert_eq!(
        lines("src/setups/run.rs", "\nfn f() { crate::history::read() }"),
        [2]
    );
    assert_eq!(lines("src/setups/run.rs", "use super::super::history;"), [1]);
    assert_eq!(lines("src/setups/mod.rs", "use super::web::page;"), [1]);
    assert_eq!(
        lines(
            "src/web/pages/a/b.rs",
            "fn f() { let x = vec![sqlx::query(\"\")]; }"
        ),
        [1]
    );
    assert_eq!(
        lines("src/setups/mod.rs", "#[derive(axum::Json)]\nstruct A;"),
        [1]
    );
    assert_eq!(
        lines("src/store/mod.rs", "mod inner { use super::super::setups::run; }"),
        [1]
    );
    assert_eq!(lines("src/emulator/state.rs", "use crate::domain::Clock;"), [1]);
    assert_eq!(lines("src/web/demo.rs", "use crate::emulator::Emulator;"), [1]);
    assert_eq!(lines("src/main.rs", "fn main() { headgate::web::serve() }"), [1]);
    assert_eq!(lines("src/attic/mod.rs", ""), [1]);
}

#[test]
fn the_test_lets_pass_what_the_picture_allows() {
    let none: [usize; 0] = [];
    assert_eq!(
        lines(
            "src/setups/run.rs",
            "use crate::{domain, store::Store, setups::journal};"
        ),
        none
    );
    assert_eq!(
        lines(
            "src/store/mod.rs",
            "#[derive(sqlx::FromRow)]\n#[sqlx(rename_all = \"x\")]\nstruct A;"
        ),
        none
    );
    assert_eq!(lines("src/cli/demo.rs", "use crate::emulator::Emulator;"), none);
    assert_eq!(lines("src/accounts/oidc.rs", "use reqwest::Client;"), none);
    assert_eq!(
        lines(
            "src/domain/a.rs",
            "//! See [`crate::store`].\nconst A: &str = \"crate::web::page\";"
        ),
        none
    );
    assert_eq!(
        lines(
            "src/domain/a.rs",
            "#[cfg(test)]\nmod tests { use crate::web::page; }"
        ),
        none
    );
    assert_eq!(
        lines(
            "src/domain/a.rs",
            "#[cfg(test)]\nuse crate::{web::page};\nuse crate::domain::Id;"
        ),
        none
    );
    let own_tests = [
        (
            "src/store/mod.rs".to_owned(),
            "#[cfg(test)]\nmod tests;".to_owned(),
        ),
        (
            "src/store/tests/mod.rs".to_owned(),
            "use crate::web::page;".to_owned(),
        ),
    ];
    assert_eq!(offences(&own_tests), BTreeSet::new());
}
