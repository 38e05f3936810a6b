//! Connectors: the kinds of storage that files come from, and the fields that each needs.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// The connection specification of Adobe's data lake, the target of every flow.
pub const DATA_LAKE_SPEC_ID: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
/// The flow specification that serves every batch cloud-storage source.
pub const CLOUD_STORAGE_FLOW_SPEC_ID: &str = "9753525b-82c7-4dce-8a9b-5ccfce2b9876";

/// A kind of source.
#[derive(Debug, Clone, Deserialize)]
pub struct Connector {
    /// Our word in URLs and tables, such as `amazon-s3`.
    pub slug: String,
    /// The name that people know.
    pub name: String,
    /// Adobe's connection specification.
    pub spec_id: String,
    /// Called beta by Adobe's page.
    pub beta: bool,
    /// False only for the Data Landing Zone, which Adobe provides itself.
    pub needs_base_connection: bool,
    /// Ways to authenticate; empty where no base connection is needed.
    pub auth: Vec<Auth>,
    /// Whether the source takes `cdcEnabled`.
    pub cdc: bool,
    /// A path as this source writes it.
    pub path_example: String,
    /// What a person should know before choosing it.
    #[serde(default)]
    pub note: String,
}

/// One way to authenticate at a source.
#[derive(Debug, Clone, Deserialize)]
pub struct Auth {
    /// Adobe's `auth.specName`.
    pub spec_name: String,
    /// Names that older revisions of Adobe's pages use for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Restriction that Adobe names, such as "Platform on AWS only".
    #[serde(default)]
    pub applies_to: String,
    /// What it asks for.
    pub fields: Vec<AuthField>,
}

/// One key of `auth.params`.
#[derive(Debug, Clone, Deserialize)]
pub struct AuthField {
    /// Adobe's key.
    pub name: String,
    /// What the form calls it.
    pub label: String,
    /// What may be typed.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether a value is needed.
    #[serde(default)]
    pub required: bool,
    /// Sealed at rest and never shown again.
    #[serde(default)]
    pub secret: bool,
    /// One line of help.
    #[serde(default)]
    pub help: String,
    /// An example value.
    #[serde(default)]
    pub example: String,
    /// Values of a choice.
    #[serde(default)]
    pub options: Vec<String>,
    /// Least number.
    #[serde(default)]
    pub minimum: Option<i64>,
    /// Other spellings of the key.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// What may be typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// Any text.
    String,
    /// Text that is not shown while typing.
    Password,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of the options.
    Enum,
}

static CATALOGUE: LazyLock<Vec<Connector>> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is compiled in and read by a unit test"
    )]
    serde_json::from_str(include_str!("connectors.json")).expect("connectors.json is well formed")
});

/// Every connector, in the order of the forms.
pub fn connectors() -> &'static [Connector] {
    &CATALOGUE
}

/// The connector with this slug.
pub fn connector(slug: &str) -> Option<&'static Connector> {
    CATALOGUE.iter().find(|c| c.slug == slug)
}

/// The connector that uses this connection specification of Adobe's.
pub fn connector_by_spec(spec_id: &str) -> Option<&'static Connector> {
    CATALOGUE.iter().find(|c| c.spec_id == spec_id)
}

impl Connector {
    /// The way to authenticate with this name, also by an older name.
    pub fn auth(&self, spec_name: &str) -> Option<&Auth> {
        self.auth
            .iter()
            .find(|a| a.spec_name == spec_name || a.aliases.iter().any(|alias| alias == spec_name))
    }

    /// This connector with its fields as the running service declares them.
    ///
    /// `specification` is one item of `GET /connectionSpecs/{id}`. Ways to authenticate that only the service
    /// knows are added with plain fields; labels, help and examples stay ours where the names agree. What we
    /// know to be secret stays secret whatever the service says.
    pub fn with_specification(&self, specification: &Value) -> Connector {
        let mut merged = self.clone();
        for declared in specification["authSpec"].as_array().into_iter().flatten() {
            let Some(name) = declared["name"].as_str() else {
                continue;
            };
            let Some(properties) = declared["spec"]["properties"].as_object() else {
                continue;
            };
            let known = merged
                .auth
                .iter()
                .position(|a| a.spec_name == name || a.aliases.iter().any(|x| x == name));
            let ours = known.map(|i| merged.auth[i].fields.clone()).unwrap_or_default();
            let required: Vec<&str> = declared["spec"]["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fields = properties
                .iter()
                .map(|(key, schema)| declared_field(key, schema, required.contains(&key.as_str()), &ours))
                .collect();
            let auth = Auth {
                spec_name: name.to_owned(),
                aliases: known.map(|i| merged.auth[i].aliases.clone()).unwrap_or_default(),
                applies_to: known
                    .map(|i| merged.auth[i].applies_to.clone())
                    .unwrap_or_default(),
                fields,
            };
            match known {
                Some(i) => merged.auth[i] = auth,
                None => merged.auth.push(auth),
            }
        }
        merged
    }
}

/// One property of a declared authentication schema as a field, kept close to what we know of it.
fn declared_field(key: &str, schema: &Value, required: bool, ours: &[AuthField]) -> AuthField {
    let known = ours
        .iter()
        .find(|f| f.name == key || f.aliases.iter().any(|a| a == key));
    let options: Vec<String> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let secret = schema["format"] == "password" || known.is_some_and(|f| f.secret);
    let kind = match schema["type"].as_str() {
        _ if secret => FieldKind::Password,
        _ if !options.is_empty() => FieldKind::Enum,
        Some("integer" | "number") => FieldKind::Integer,
        Some("boolean") => FieldKind::Boolean,
        _ => FieldKind::String,
    };
    let text = |name: &str| schema[name].as_str().map(str::to_owned);
    AuthField {
        name: key.to_owned(),
        label: known
            .map(|f| f.label.clone())
            .or_else(|| text("title"))
            .unwrap_or_else(|| key.to_owned()),
        kind,
        required,
        secret,
        help: known
            .map(|f| f.help.clone())
            .or_else(|| text("description"))
            .unwrap_or_default(),
        example: known.map(|f| f.example.clone()).unwrap_or_default(),
        options,
        minimum: schema["minimum"].as_i64(),
        aliases: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_catalogue_has_the_ten_batch_connectors() {
        let slugs: Vec<&str> = connectors().iter().map(|c| c.slug.as_str()).collect();
        assert_eq!(
            slugs,
            [
                "amazon-s3",
                "azure-blob",
                "adls-gen2",
                "google-cloud-storage",
                "sftp",
                "ftp",
                "azure-file-storage",
                "hdfs",
                "oracle-object-storage",
                "data-landing-zone"
            ]
        );
        for c in connectors() {
            assert_eq!(c.needs_base_connection, !c.auth.is_empty(), "{}", c.slug);
            for field in c.auth.iter().flat_map(|a| &a.fields) {
                assert_eq!(
                    field.secret,
                    field.kind == FieldKind::Password,
                    "{} {}",
                    c.slug,
                    field.name
                );
            }
        }
    }

    #[test]
    fn the_running_service_has_the_last_word_on_fields() {
        let spec = json!({"authSpec": [
            {"name": "Basic Authentication", "spec": {"properties": {
                "host": {"type": "string"}, "userid": {"type": "string"},
                "password": {"type": "string"}}, "required": ["host", "userid"]}},
            {"name": "Brand New", "spec": {"properties": {"apiToken": {"type": "string", "format": "password", "title": "Token"}}}}
        ]});
        let merged = connector("azure-file-storage").unwrap().with_specification(&spec);
        let fields = &merged.auth("Basic Authentication").unwrap().fields;
        let userid = fields.iter().find(|f| f.name == "userid").unwrap();
        assert_eq!(userid.label, "User ID");
        assert!(userid.required);
        let password = fields.iter().find(|f| f.name == "password").unwrap();
        assert!(password.secret, "a field that we know to be secret stays so");
        assert!(!password.required, "the service does not require it");
        let token = &merged.auth("Brand New").unwrap().fields[0];
        assert!(token.secret && token.label == "Token");
    }

    #[test]
    fn a_damaged_specification_changes_nothing() {
        let ours = connector("sftp").unwrap();
        for spec in [
            json!(null),
            json!({"authSpec": 7}),
            json!({"authSpec": [{"name": 1}, {"spec": {}}]}),
        ] {
            assert_eq!(ours.with_specification(&spec).auth.len(), ours.auth.len());
        }
    }
}
