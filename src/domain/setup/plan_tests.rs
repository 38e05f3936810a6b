use super::*;
use crate::domain::connector::connector;
use crate::domain::recipe::samples::{blob_delimited, s3_parquet};

fn kinds(steps: &[PlannedStep]) -> Vec<StepKind> {
    steps.iter().map(|s| s.kind).collect()
}

fn step(steps: &[PlannedStep], kind: StepKind) -> &PlannedStep {
    steps.iter().find(|s| s.kind == kind).unwrap()
}

#[test]
fn the_tutorials_way_has_seven_steps_in_four_waves() {
    let steps = plan(&s3_parquet(), connector("amazon-s3").unwrap(), "abcdefghij");
    assert_eq!(
        kinds(&steps),
        [
            StepKind::BaseConnection,
            StepKind::Schema,
            StepKind::DataLakeConnection,
            StepKind::Dataset,
            StepKind::SourceConnection,
            StepKind::TargetConnection,
            StepKind::Flow
        ]
    );
    let source = step(&steps, StepKind::SourceConnection);
    assert_eq!(source.needs, [StepKind::BaseConnection, StepKind::Schema]);
    assert_eq!(source.body["data"]["format"], "parquet_xdm");
    assert_eq!(source.body["params"]["recursive"], true);
    assert_eq!(source.body["connectionSpec"]["version"], "1.0");
    let depth = |kind: StepKind| {
        fn depth(steps: &[PlannedStep], kind: StepKind) -> usize {
            1 + step(steps, kind)
                .needs
                .iter()
                .map(|n| depth(steps, *n))
                .max()
                .unwrap_or(0)
        }
        depth(&steps, kind)
    };
    assert_eq!(depth(StepKind::Flow), 4, "four round trips, not seven");
}

#[test]
fn mapped_formats_have_a_mapping_and_no_data_lake_connection() {
    let steps = plan(&blob_delimited(), connector("azure-blob").unwrap(), "abcdefghij");
    assert!(!kinds(&steps).contains(&StepKind::DataLakeConnection));
    assert_eq!(
        step(&steps, StepKind::SourceConnection).needs,
        [StepKind::BaseConnection]
    );
    let properties = &step(&steps, StepKind::SourceConnection).body["data"]["properties"];
    assert_eq!(
        *properties,
        json!({"columnDelimiter": ",", "encoding": "UTF-8", "compressionType": "gzip"})
    );
    let flow = step(&steps, StepKind::Flow);
    assert_eq!(
        flow.needs,
        [
            StepKind::SourceConnection,
            StepKind::TargetConnection,
            StepKind::MappingSet
        ]
    );
    assert_eq!(flow.body["transformations"][0]["name"], "Mapping");
}

#[test]
fn what_exists_is_not_made_again() {
    let mut recipe = s3_parquet();
    recipe.connection = Connection::Existing {
        id: "5831c52c-c261-4945-b1c5-2cc261d945b2".into(),
    };
    recipe.schema = Schema::Existing {
        id: "https://ns.adobe.com/acme/schemas/1".into(),
    };
    recipe.dataset = Dataset::Existing {
        id: "5e7439b1ad55a618ad4c5102".into(),
    };
    let steps = plan(&recipe, connector("amazon-s3").unwrap(), "abcdefghij");
    assert_eq!(
        kinds(&steps),
        [
            StepKind::DataLakeConnection,
            StepKind::SourceConnection,
            StepKind::TargetConnection,
            StepKind::Flow
        ]
    );
    assert_eq!(step(&steps, StepKind::SourceConnection).needs, []);
    assert_eq!(
        step(&steps, StepKind::TargetConnection).body["params"]["dataSetId"],
        "5e7439b1ad55a618ad4c5102"
    );
}

#[test]
fn names_stay_as_typed_and_every_object_carries_its_marker() {
    let steps = plan(&s3_parquet(), connector("amazon-s3").unwrap(), "abcdefghij");
    let flow = step(&steps, StepKind::Flow);
    assert_eq!(flow.body["name"], "Loyalty members");
    assert_eq!(flow.body["description"], "Nightly export (hg1-abcdefghij-fl)");
    for step in steps.iter().filter(|s| s.kind != StepKind::DataLakeConnection) {
        assert!(step.body.to_string().contains(&step.marker), "{}", step.kind);
    }
}

#[test]
fn no_secret_can_be_in_a_plan() {
    let steps = plan(&s3_parquet(), connector("amazon-s3").unwrap(), "abcdefghij");
    let params = &step(&steps, StepKind::BaseConnection).body["auth"]["params"];
    assert_eq!(params["s3SecretKey"], json!({"$secret": "auth.s3SecretKey"}));
    assert_eq!(params["s3AccessKey"], "AKIAEXAMPLE");
}

#[test]
fn a_single_run_sends_neither_interval_nor_backfill() {
    let mut recipe = s3_parquet();
    recipe.schedule.frequency = crate::domain::schedule::Frequency::Once;
    recipe.schedule.interval = None;
    recipe.schedule.backfill = None;
    let steps = plan(&recipe, connector("amazon-s3").unwrap(), "abcdefghij");
    let keys: Vec<&String> = step(&steps, StepKind::Flow).body["scheduleParams"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(keys, ["frequency", "startTime"]);
}
