//! The filter grammar of Flow Service lists (Adobe's "Sort and filter" page).
//!
//! `path==value`; a repeated parameter means "and", a comma between values means "or"; `[]` after a name looks
//! into a list. Values may stand in double quotes; within them a comma is an ordinary character.

use std::borrow::Cow;

use serde_json::Value;

use super::super::refusal::Refusal;

/// What a field holds, and so which operators it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Text whose letters' case does not matter.
    Status,
    Number,
}

/// A field that can be filtered by. A path that ends in `.*` stands for every path below it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    path: &'static str,
    kind: Kind,
}

impl Field {
    pub const fn text(path: &'static str) -> Self {
        Self {
            path,
            kind: Kind::Text,
        }
    }

    pub const fn status(path: &'static str) -> Self {
        Self {
            path,
            kind: Kind::Status,
        }
    }

    pub const fn number(path: &'static str) -> Self {
        Self {
            path,
            kind: Kind::Number,
        }
    }

    fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(stem) => path.strip_prefix(stem).is_some_and(|rest| !rest.is_empty()),
            None => self.path == path,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

/// One `property` parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub path: String,
    operator: Operator,
    kind: Kind,
    values: Vec<String>,
}

/// A value that a filter is held against.
#[derive(Debug, Clone)]
pub enum Held<'a> {
    Text(Cow<'a, str>),
    Number(i64),
}

impl Filter {
    /// Reads one parameter.
    ///
    /// # Errors
    /// With the codes of Adobe's Flow Service error page: 1423 unknown field, 1440 operator not implemented, 1443
    /// several values, 1448 operator not for this field, 1450 invalid operator, 1452 invalid value, 1453 no value.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Refusal> {
        let Some(at) = text.find(['=', '!', '<', '>', '~']) else {
            return Err(Refusal::flow_own(format!(
                "The property '{text}' is not a filter like name==value."
            )));
        };
        let (path, rest) = text.split_at(at);
        let path = path.trim();
        let (operator, rest) = operator(rest, path)?;
        let Some(field) = fields.iter().find(|field| field.covers(path)) else {
            return Err(Refusal::flow(
                "1423-400",
                format!("The filter field '{path}' is not supported."),
            ));
        };
        let values = values(rest);
        if values.is_empty() || values.iter().any(String::is_empty) {
            return Err(Refusal::flow(
                "1453-400",
                format!("The filter on '{path}' has no value."),
            ));
        }
        let orders = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if orders && field.kind != Kind::Number {
            return Err(Refusal::flow(
                "1448-400",
                format!("This operator is not supported for the field '{path}'."),
            ));
        }
        if orders && values.len() > 1 {
            return Err(Refusal::flow(
                "1443-400",
                format!("This operator takes one value for the field '{path}'."),
            ));
        }
        if field.kind == Kind::Number && values.iter().any(|value| value.parse::<i64>().is_err()) {
            return Err(Refusal::flow(
                "1452-400",
                format!("The filter on '{path}' needs a whole number."),
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            operator,
            kind: field.kind,
            values,
        })
    }

    /// Whether a document is kept.
    pub fn accepts(&self, document: &Value) -> bool {
        let mut found = Vec::new();
        collect(document, &self.path, &mut found);
        self.accepts_any(found.into_iter())
    }

    /// Whether something with these values at the filter's path is kept.
    pub fn accepts_any<'a>(&self, mut held: impl Iterator<Item = Held<'a>>) -> bool {
        match self.operator {
            Operator::NotEqual => !held.any(|value| self.is_among(&value)),
            Operator::Equal => held.any(|value| self.is_among(&value)),
            _ => held.any(|value| self.is_ordered(&value)),
        }
    }

    /// The lowest number that can pass, for a filter that sets a lower bound.
    pub fn lower_bound(&self) -> Option<i64> {
        match self.operator {
            Operator::Equal => self.values.iter().filter_map(|value| value.parse().ok()).min(),
            Operator::Greater | Operator::GreaterOrEqual => self.values.first()?.parse().ok(),
            _ => None,
        }
    }

    /// The highest number that can pass, for a filter that sets an upper bound.
    pub fn upper_bound(&self) -> Option<i64> {
        match self.operator {
            Operator::Equal => self.values.iter().filter_map(|value| value.parse().ok()).max(),
            Operator::Less | Operator::LessOrEqual => self.values.first()?.parse().ok(),
            _ => None,
        }
    }

    /// The only value of an equality.
    pub fn only_value(&self) -> Option<&str> {
        match (&self.operator, &self.values[..]) {
            (Operator::Equal, [value]) => Some(value),
            _ => None,
        }
    }

    fn is_among(&self, held: &Held<'_>) -> bool {
        self.values.iter().any(|value| match held {
            Held::Number(number) => value.parse() == Ok(*number),
            Held::Text(text) if self.kind == Kind::Status => value.eq_ignore_ascii_case(text),
            Held::Text(text) => value == text,
        })
    }

    fn is_ordered(&self, held: &Held<'_>) -> bool {
        let Held::Number(number) = held else { return false };
        let Some(bound) = self.values.first().and_then(|value| value.parse::<i64>().ok()) else {
            return false;
        };
        match self.operator {
            Operator::Greater => *number > bound,
            Operator::Less => *number < bound,
            Operator::GreaterOrEqual => *number >= bound,
            Operator::LessOrEqual => *number <= bound,
            Operator::Equal | Operator::NotEqual => false,
        }
    }
}

fn operator<'a>(text: &'a str, path: &str) -> Result<(Operator, &'a str), Refusal> {
    let known = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        ("<", Operator::Less),
    ];
    if text.starts_with('~') {
        return Err(Refusal::flow("1440-400", "The operator ~ is not implemented."));
    }
    known
        .iter()
        .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest)))
        .ok_or_else(|| {
            Refusal::flow(
                "1450-400",
                format!("The operator in the filter on '{path}' is not valid."),
            )
        })
}

fn values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    for letter in text.trim().chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(String::new()),
            other => {
                if let Some(value) = values.last_mut() {
                    value.push(other);
                }
            }
        }
    }
    values
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<Held<'a>>) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if path.is_empty() {
        match value {
            Value::String(text) => found.push(Held::Text(Cow::Borrowed(text))),
            Value::Number(number) => found.extend(number.as_i64().map(Held::Number)),
            Value::Bool(truth) => {
                found.push(Held::Text(Cow::Borrowed(if *truth { "true" } else { "false" })))
            }
            _ => {}
        }
    } else if let Some(list) = name.strip_suffix("[]") {
        for item in value.get(list).and_then(Value::as_array).into_iter().flatten() {
            collect(item, rest, found);
        }
    } else if let Some(member) = value.get(name) {
        collect(member, rest, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: [Field; 6] = [
        Field::text("name"),
        Field::text("sourceConnectionIds[]"),
        Field::text("params.*"),
        Field::text("a.b[].c"),
        Field::status("status"),
        Field::number("at"),
    ];

    fn accepts(filter: &str, document: &Value) -> bool {
        Filter::parse(filter, &FIELDS).unwrap().accepts(document)
    }

    #[test]
    fn equality_alternatives_quotes_and_lists() {
        let flow = json!({ "name": "a,b", "sourceConnectionIds": ["s1", "s2"], "a": { "b": [{ "c": "x" }, { "c": "y" }] }, "params": { "dataSetId": "d" } });
        for (filter, expected) in [
            ("name==\"a,b\"", true),
            ("name==a,b", false),
            ("name!=\"a,b\"", false),
            ("name!=other", true),
            ("sourceConnectionIds[]==s2", true),
            ("sourceConnectionIds[]==s3,s1", true),
            ("sourceConnectionIds[]!=s1", false),
            ("a.b[].c==y", true),
            ("params.dataSetId==d", true),
            ("params.other==d", false),
        ] {
            assert_eq!(accepts(filter, &flow), expected, "{filter}");
        }
    }

    #[test]
    fn numbers_are_ordered_and_status_ignores_case() {
        let run = json!({ "at": 10, "status": "failed" });
        for (filter, expected) in [
            ("at>9", true),
            ("at>10", false),
            ("at>=10", true),
            ("at<=9", false),
            ("at==9,10", true),
            ("at!=10", false),
            ("status==Failed", true),
        ] {
            assert_eq!(accepts(filter, &run), expected, "{filter}");
        }
        assert!(!accepts("at>9", &json!({})));
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused_with_its_code() {
        for (filter, code) in [
            ("nome==x", "1423"),
            ("params.==x", "1423"),
            ("name~x", "1440"),
            ("name=x", "1450"),
            ("name!x", "1450"),
            ("at>1,2", "1443"),
            ("name>x", "1448"),
            ("name==", "1453"),
            ("name==a,,b", "1453"),
            ("at==soon", "1452"),
            ("name", "0000"),
        ] {
            let body = Filter::parse(filter, &FIELDS).unwrap_err().body("r", 0);
            let kind = body["type"].as_str().unwrap();
            assert!(kind.ends_with(&format!("FLOW-{code}-400")), "{filter}: {kind}");
        }
    }
}
