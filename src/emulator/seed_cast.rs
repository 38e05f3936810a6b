//! Who plays in the seeded history: the storages and the flows of a made-up retailer.

use serde_json::{Value, json};

/// A base connection that every sandbox has.
#[derive(Debug)]
pub struct Storage {
    pub name: &'static str,
    /// Connection specification id.
    pub spec: &'static str,
    pub auth: &'static str,
    pub params: fn() -> Value,
    /// How its paths begin.
    pub root: &'static str,
}

const MASK: &str = "****";

pub const STORAGES: [Storage; 5] = [
    Storage {
        name: "Retail lake (S3)",
        spec: "ecadc60c-7455-4d87-84dc-2a0e293d997b",
        auth: "Access Key",
        params: || json!({ "s3AccessKey": "AKIAEMULATOR00000001", "s3SecretKey": MASK, "bucketName": "acme-retail" }),
        root: "acme-retail/",
    },
    Storage {
        name: "Campaign exports (Blob)",
        spec: "4c10e202-c428-4796-9208-5f1f5732b1cf",
        auth: "ConnectionString",
        params: || json!({ "connectionString": MASK, "container": "campaigns" }),
        root: "/campaigns/",
    },
    Storage {
        name: "Data platform (ADLS)",
        spec: "b3ba5556-48be-44b7-8b85-ff2b69b46dc4",
        auth: "Basic Authentication for adls-gen2",
        params: || {
            json!({ "url": "https://acmeretail.dfs.core.windows.net", "servicePrincipalId": "00000000-0000-0000-0000-00000000000a",
                "servicePrincipalKey": MASK, "tenant": "00000000-0000-0000-0000-00000000000b" })
        },
        root: "/retail/",
    },
    Storage {
        name: "App analytics (Google)",
        spec: "32e8f412-cdf7-464c-9885-78184cb113fd",
        auth: "Basic Authentication for google-cloud",
        params: || json!({ "accessKeyId": "GOOGEMULATOR00000001", "secretAccessKey": MASK, "bucketName": "acme-app" }),
        root: "acme-app/",
    },
    Storage {
        name: "Store back office (SFTP)",
        spec: "b7bf2577-4520-42c9-bae9-cad01560f7bc",
        auth: "Basic Authentication for sftp",
        params: || json!({ "host": "sftp.acme.example", "port": 22, "userName": "headgate", "password": MASK }),
        root: "/",
    },
];

/// What becomes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Now and then a run fails.
    Usual,
    /// Every run has failed since yesterday.
    FailingSinceYesterday,
    /// Every run has succeeded without a record for two days.
    DryForTwoDays,
    /// Runs have brought a fraction of the usual since yesterday.
    ThinSinceYesterday,
    /// Enabled, and yet no run has begun for hours.
    SilentForHours,
    /// Disabled three days ago.
    Disabled,
}

/// A flow of the history.
#[derive(Debug)]
pub struct Role {
    pub name: &'static str,
    /// Position in [`STORAGES`].
    pub storage: usize,
    /// `data.format` of the source connection.
    pub format: &'static str,
    pub path: &'static str,
    pub frequency: &'static str,
    pub interval: i64,
    /// Records of an average run.
    pub records: u32,
    pub bytes_per_record: u32,
    pub files: u32,
    /// Whether the class is experience events, not profiles.
    pub events: bool,
    pub fate: Fate,
}

const fn role(
    name: &'static str,
    from: (usize, &'static str, &'static str),
    schedule: (&'static str, i64),
    size: (u32, u32, u32),
    events: bool,
    fate: Fate,
) -> Role {
    let (storage, format, path) = from;
    let (frequency, interval) = schedule;
    let (records, bytes_per_record, files) = size;
    Role {
        name,
        storage,
        format,
        path,
        frequency,
        interval,
        records,
        bytes_per_record,
        files,
        events,
        fate,
    }
}

const DAILY: (&str, i64) = ("day", 1);
const HOURLY: (&str, i64) = ("hour", 1);
const QUARTER_HOURLY: (&str, i64) = ("minute", 15);
const WEEKLY: (&str, i64) = ("week", 1);

/// Every third one plays in the second sandbox.
pub const ROLES: [Role; 12] = [
    role(
        "Loyalty members daily",
        (0, "parquet_xdm", "loyalty/members"),
        DAILY,
        (42_000, 640, 4),
        false,
        Fate::Usual,
    ),
    role(
        "Store sales hourly",
        (4, "delimited", "stores/sales/*.csv"),
        HOURLY,
        (3_600, 210, 12),
        true,
        Fate::SilentForHours,
    ),
    role(
        "Loyalty members rehearsal",
        (0, "parquet_xdm", "loyalty/members"),
        DAILY,
        (400, 640, 1),
        false,
        Fate::Usual,
    ),
    role(
        "Web orders",
        (0, "json", "orders/web"),
        HOURLY,
        (1_900, 880, 6),
        true,
        Fate::FailingSinceYesterday,
    ),
    role(
        "Newsletter consents",
        (1, "delimited", "newsletter/consents"),
        DAILY,
        (7_500, 120, 1),
        false,
        Fate::ThinSinceYesterday,
    ),
    role(
        "Web orders rehearsal",
        (0, "json", "orders/web"),
        HOURLY,
        (60, 880, 1),
        true,
        Fate::Usual,
    ),
    role(
        "App clickstream",
        (3, "parquet", "clickstream"),
        QUARTER_HOURLY,
        (22_000, 340, 3),
        true,
        Fate::Usual,
    ),
    role(
        "Product returns",
        (2, "delimited", "orders/returns"),
        HOURLY,
        (240, 260, 1),
        true,
        Fate::DryForTwoDays,
    ),
    role(
        "Price tests",
        (3, "json", "experiments/prices"),
        DAILY,
        (900, 150, 1),
        true,
        Fate::Usual,
    ),
    role(
        "Store directory weekly",
        (4, "delimited", "stores/directory/stores.csv"),
        WEEKLY,
        (640, 420, 1),
        false,
        Fate::Usual,
    ),
    role(
        "Gift cards",
        (2, "parquet", "giftcards/movements"),
        DAILY,
        (5_200, 190, 2),
        true,
        Fate::Disabled,
    ),
    role(
        "Call centre notes",
        (1, "delimited", "callcentre/notes"),
        DAILY,
        (1_300, 900, 1),
        true,
        Fate::Usual,
    ),
];
