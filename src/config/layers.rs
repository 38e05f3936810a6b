//! Laying defaults, file, environment and flags over each other, remembering where each value came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use config::{FileFormat, Source};

use super::parsers::Fault;
use super::{FILE_VARIABLE, InForce, Mistake, SETTINGS, Setting, Sources, VARIABLE_PREFIX};

const DEFAULT: &str = "default";

/// The text of each setting after layering.
pub(super) struct Layers {
    texts: Layer,
}

struct Layered {
    text: String,
    /// Such as `default`, `HEADGATE_LISTEN` or `listen in headgate.toml`.
    place: String,
}

/// The values of one source.
type Layer = BTreeMap<&'static str, Layered>;

impl Layers {
    pub fn read(sources: Sources, mistakes: &mut Vec<Mistake>) -> Self {
        let default = |setting: &Setting| Layered {
            text: setting.default.into(),
            place: DEFAULT.into(),
        };
        let mut texts: Layer = SETTINGS
            .iter()
            .map(|setting| (setting.key, default(setting)))
            .collect();
        if let Some(path) = sources.file {
            texts.extend(file_layer(&path, mistakes));
        }
        texts.extend(environment_layer(sources.environment, mistakes));
        texts.extend(sources.flags.into_iter().map(|(key, text)| {
            let place = format!("--{}", key.replace('_', "-"));
            (key, Layered { text, place })
        }));
        fill_in_defaults(&mut texts);
        Self { texts }
    }

    /// The value of a setting, or nothing after adding to the mistakes.
    pub fn parse<T>(
        &self,
        key: &'static str,
        parser: impl Fn(&str) -> Result<T, Fault>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<T> {
        parser(&self.texts.get(key)?.text)
            .map_err(|Fault { problem, fix }| {
                mistakes.push(Mistake {
                    place: self.place(key),
                    problem,
                    fix,
                });
            })
            .ok()
    }

    /// Where a setting's value stands, for messages.
    pub fn place(&self, key: &str) -> String {
        match self.texts.get(key) {
            Some(layered) if layered.place != DEFAULT => layered.place.clone(),
            _ => format!("{key} ({DEFAULT})"),
        }
    }

    pub fn is_default(&self, key: &str) -> bool {
        self.texts.get(key).is_none_or(|layered| layered.place == DEFAULT)
    }

    pub fn in_force(&self) -> Vec<InForce> {
        SETTINGS
            .iter()
            .filter_map(|setting| {
                let Layered { text, place } = self.texts.get(setting.key)?;
                let set = !text.is_empty();
                Some(InForce {
                    setting,
                    shown: (set && !setting.secret).then(|| text.clone()),
                    source: if set { place.clone() } else { "not set".into() },
                })
            })
            .collect()
    }
}

/// A default may name another setting in braces.
fn fill_in_defaults(texts: &mut Layer) {
    for setting in SETTINGS {
        let named = SETTINGS
            .iter()
            .map(|other| (format!("{{{}}}", other.key), other.key));
        for (braced, other) in named.filter(|(braced, _)| setting.default.contains(braced)) {
            let Some(value) = texts.get(other).map(|layered| layered.text.clone()) else {
                continue;
            };
            if let Some(layered) = texts
                .get_mut(setting.key)
                .filter(|layered| layered.place == DEFAULT)
            {
                layered.text = layered.text.replace(&braced, &value);
            }
        }
    }
}

fn file_layer(path: &Path, mistakes: &mut Vec<Mistake>) -> Layer {
    let shown = path.display();
    let mut layer = Layer::new();
    let content = match config::File::from(path).format(FileFormat::Toml).collect() {
        Ok(content) => content,
        Err(error) => {
            mistakes.push(unreadable(path, &error));
            return layer;
        }
    };
    for (key, value) in content {
        let place = format!("{key} in {shown}");
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            mistakes.push(unknown(
                place,
                "setting",
                nearest(&key, |setting| setting.key.to_owned()),
            ));
            continue;
        };
        match value.into_string() {
            Ok(text) => drop(layer.insert(setting.key, Layered { text, place })),
            Err(_) => mistakes.push(Mistake {
                place,
                problem: "a single value is needed here, not a list or a table".into(),
                fix: format!("write {key} = \"…\""),
            }),
        }
    }
    layer
}

fn unreadable(path: &Path, error: &config::ConfigError) -> Mistake {
    let place = path.display().to_string();
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Mistake {
            place,
            // Only the first line: the rest quotes the file, which may hold secrets.
            problem: match error {
                config::ConfigError::FileParse { cause, .. } => cause
                    .to_string()
                    .lines()
                    .next()
                    .unwrap_or("it is not TOML")
                    .to_owned(),
                _ => "the file cannot be read".into(),
            },
            fix: "give a readable TOML file; `headgate config --format toml` prints one".into(),
        },
        _ => Mistake {
            place,
            problem: "there is no such file".into(),
            fix: format!("create it, or correct --config or {FILE_VARIABLE}"),
        },
    }
}

fn environment_layer(environment: Vec<(OsString, OsString)>, mistakes: &mut Vec<Mistake>) -> Layer {
    let mut layer = Layer::new();
    for (name, text) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
            continue;
        };
        if name == FILE_VARIABLE || text.is_empty() {
            continue;
        }
        #[cfg(debug_assertions)]
        if name == super::POINT_VARIABLE {
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            mistakes.push(unknown(
                name.to_owned(),
                "variable",
                nearest(name, Setting::variable),
            ));
            continue;
        };
        match text.into_string() {
            Ok(text) => drop(layer.insert(
                setting.key,
                Layered {
                    text,
                    place: name.to_owned(),
                },
            )),
            Err(_) => mistakes.push(Mistake {
                place: name.to_owned(),
                problem: "the value is not UTF-8 text".into(),
                fix: "set it to UTF-8 text".into(),
            }),
        }
    }
    layer
}

fn unknown(place: String, kind: &str, nearest: Option<String>) -> Mistake {
    let fix = match nearest {
        Some(name) => format!("did you mean {name}? If not, remove it; `headgate config` lists every {kind}"),
        None => format!("remove it; `headgate config` lists every {kind}"),
    };
    Mistake {
        place,
        problem: format!("Headgate has no such {kind}"),
        fix,
    }
}

/// The name that shares the longest beginning, if that is at least half of what was written.
fn nearest(written: &str, name: impl Fn(&Setting) -> String) -> Option<String> {
    let written = written.trim_start_matches(VARIABLE_PREFIX).to_lowercase();
    let shared = |setting: &Setting| {
        written
            .chars()
            .zip(setting.key.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    SETTINGS
        .iter()
        .max_by_key(|setting| shared(setting))
        .filter(|best| shared(best) * 2 >= written.len())
        .map(name)
}
