//! The demo's five templates, as the form would give them.

type Fields = &'static [(&'static str, &'static str)];

/// Connector and form fields of each template. The secrets are made up; the emulator takes any.
pub(super) const TEMPLATES: [(&str, Fields); 5] = [
    ("amazon-s3", PARTNER_PARQUET),
    ("azure-blob", CAMPAIGN_CSV),
    ("adls-gen2", WEB_ORDERS),
    ("google-cloud-storage", APP_EVENTS),
    ("sftp", STORE_BACK_OFFICE),
];

const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const EVENT: &str = "https://ns.adobe.com/xdm/context/experienceevent";
const PROFILE_GROUPS: &str = "https://ns.adobe.com/xdm/context/profile-person-details\n\
    https://ns.adobe.com/xdm/context/profile-personal-details\n\
    https://ns.adobe.com/xdm/context/identitymap";

const PARTNER_PARQUET: Fields = &[
    ("name", "Partner profiles from S3 (Parquet)"),
    (
        "purpose",
        "Parquet files that a partner drops into our bucket, every hour, into a dataset of their own.",
    ),
    ("auth", "Access Key"),
    ("auth.s3AccessKey", "AKIADEMO000000000001"),
    ("auth.s3SecretKey", "demo-secret-access-key-0001"),
    ("path", "partners-demo/{{partner}}"),
    ("path_kind", "folder"),
    ("recursive", "on"),
    ("format", "parquet_xdm"),
    ("schema_class", PROFILE),
    ("field_groups", PROFILE_GROUPS),
    ("flow_name", "Partner profiles {{partner}}"),
    ("description", "Hourly profiles of {{partner}}"),
    ("repeat", "hour"),
    ("backfill", "on"),
    ("start", "soon"),
    ("parameter.1.name", "partner"),
    ("parameter.1.label", "Partner"),
    (
        "parameter.1.hint",
        "The partner's folder below partners-demo, such as samples.",
    ),
    ("parameter.1.required", "on"),
];

const CAMPAIGN_CSV: Fields = &[
    ("name", "Campaign results from Blob (CSV)"),
    (
        "purpose",
        "Delimited exports of the campaign tool, compressed, once a day.",
    ),
    ("auth", "ConnectionString"),
    (
        "auth.connectionString",
        "DefaultEndpointsProtocol=https;AccountName=acmedemo;AccountKey=ZGVtby1rZXktMDAwMQ==;EndpointSuffix=core.windows.net",
    ),
    ("auth.container", "campaigns"),
    ("path", "/campaigns/{{campaign}}"),
    ("format", "delimited"),
    ("column_delimiter", ";"),
    ("compression", "gzip"),
    ("schema_class", PROFILE),
    ("field_groups", PROFILE_GROUPS),
    (
        "mapping",
        "id -> _id\nfirst_name -> person.name.firstName\nlast_name -> person.name.lastName",
    ),
    ("flow_name", "Campaign {{campaign}} ({{region}})"),
    ("repeat", "day"),
    ("backfill", "on"),
    ("start", "time"),
    ("start_time", "06:00"),
    ("start_zone", "Europe/Paris"),
    ("parameter.1.name", "campaign"),
    ("parameter.1.label", "Campaign"),
    ("parameter.1.hint", "Its folder in the container."),
    ("parameter.1.required", "on"),
    ("parameter.2.name", "region"),
    ("parameter.2.label", "Region"),
    ("parameter.2.kind", "choice"),
    ("parameter.2.options", "France, Benelux, Nordics"),
    ("parameter.2.default", "France"),
    ("parameter.2.required", "on"),
];

const WEB_ORDERS: Fields = &[
    ("name", "Web orders from ADLS Gen2 (JSON)"),
    ("purpose", "One JSON object for each order, every 15 minutes."),
    ("auth", "Basic Authentication for adls-gen2"),
    ("auth.url", "https://acmeretail.dfs.core.windows.net"),
    ("auth.servicePrincipalId", "00000000-0000-0000-0000-00000000000a"),
    ("auth.servicePrincipalKey", "demo-service-principal-key"),
    ("auth.tenant", "00000000-0000-0000-0000-00000000000b"),
    ("path", "/retail/orders/{{shop}}"),
    ("recursive", "on"),
    ("format", "json"),
    ("schema_class", EVENT),
    (
        "field_groups",
        "https://ns.adobe.com/xdm/context/experienceevent-commerce",
    ),
    ("mapping", "orderId -> _id\nplacedAt -> timestamp"),
    ("flow_name", "Web orders {{shop}}"),
    ("repeat", "15min"),
    ("backfill", "on"),
    ("start", "soon"),
    ("parameter.1.name", "shop"),
    ("parameter.1.label", "Shop"),
    ("parameter.1.required", "on"),
];

const APP_EVENTS: Fields = &[
    ("name", "App events from Google Cloud (Parquet)"),
    (
        "purpose",
        "The mobile app's events, exported by the analytics team.",
    ),
    ("auth", "Basic Authentication for google-cloud"),
    ("auth.accessKeyId", "GOOGDEMO00000000001"),
    ("auth.secretAccessKey", "demo-hmac-secret-0001"),
    ("auth.bucketName", "acme-app"),
    ("path", "acme-app/events/{{app}}"),
    ("recursive", "on"),
    ("format", "parquet_xdm"),
    ("schema_class", EVENT),
    ("flow_name", "App events {{app}}"),
    ("repeat", "hour"),
    ("backfill", "on"),
    ("start", "soon"),
    ("parameter.1.name", "app"),
    ("parameter.1.label", "App"),
    ("parameter.1.required", "on"),
];

const STORE_BACK_OFFICE: Fields = &[
    ("name", "Store back office over SFTP (CSV)"),
    (
        "purpose",
        "Receipts of one store. Each store has a password of its own, which is asked each time.",
    ),
    ("auth", "Basic Authentication for sftp"),
    ("auth.host", "sftp.acme.example"),
    ("auth.userName", "store-{{store}}"),
    ("auth.password", "{{password}}"),
    ("path", "/receipts/{{store}}"),
    ("format", "delimited"),
    ("schema_class", PROFILE),
    ("field_groups", PROFILE_GROUPS),
    ("mapping", "receipt -> _id\ncustomer -> person.name.fullName"),
    ("flow_name", "Receipts of store {{store}}"),
    ("repeat", "day"),
    ("backfill", "on"),
    ("start", "soon"),
    ("parameter.1.name", "store"),
    ("parameter.1.label", "Store number"),
    ("parameter.1.kind", "number"),
    ("parameter.1.required", "on"),
    ("parameter.2.name", "password"),
    ("parameter.2.label", "Password of the store's account"),
    ("parameter.2.kind", "secret"),
    ("parameter.2.required", "on"),
];
