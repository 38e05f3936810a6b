//! What a run's JSON tells of its stages and files: the platform calls stages activities (facts.md, d.8).
//!
//! Nothing is required to be there, and whatever is there is bounded: a run may name thousands of files.

use serde_json::Value;

use crate::domain::RunOutcome;
use crate::platform::clean;
use crate::platform::wire::{self, count, elements};

/// Stages of a run at most; the documents know two.
const STAGES_MAX: usize = 20;
/// Files that are named.
const FILES_MAX: usize = 100;
/// Batches of a stage that are named.
const BATCHES_MAX: usize = 10;
/// Bytes of a name, a status or an id.
const NAME_BYTES: usize = 200;
/// Bytes of an address or a path.
const PATH_BYTES: usize = 1_000;

/// One stage of a run. Texts come from the platform, without control characters; times are UTC epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it does, in words where its id is one that Adobe documents.
    pub name: String,
    /// As Adobe says it.
    pub status: String,
    /// Our reading of it.
    pub outcome: RunOutcome,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub completed_at: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records stored.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Records left out.
    pub records_skipped: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Files written.
    pub files_out: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Bytes written.
    pub bytes_out: Option<i64>,
    /// Batches that it made in Catalog.
    pub batch_ids: Vec<String>,
}

/// The files that a run took and left, as far as the platform names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Path and size in bytes.
    pub named: Vec<(String, Option<i64>)>,
    /// How many more there are.
    pub more: usize,
    /// Addresses at the platform under which the rest is told, with what is there.
    pub addresses: Vec<(&'static str, String)>,
}

/// The stages of a run in the platform's order. A run that failed early has only some of them.
pub fn stages(run: &Value) -> Vec<Stage> {
    activities(run).iter().take(STAGES_MAX).map(stage).collect()
}

/// The activities of a run; one schema of Adobe's API file spells the key in its own way.
pub(super) fn activities(run: &Value) -> &[Value] {
    match elements(run, "/activities") {
        [] => elements(run, "/activites"),
        found => found,
    }
}

/// The name of an activity.
pub(super) fn name_of(activity: &Value) -> String {
    let name = wire::text(activity, "/name").filter(|name| !name.is_empty());
    match (name, wire::text(activity, "/id").as_deref()) {
        (Some(name), _) => clean(&name, NAME_BYTES),
        (None, Some("copyActivity")) => "Copy from the source".to_owned(),
        (None, Some("promotionActivity")) => "Load into the dataset".to_owned(),
        (None, Some(id)) => clean(id, NAME_BYTES),
        (None, None) => "Stage without a name".to_owned(),
    }
}

/// The files of a run. Adobe's API file shows a list, its pages show an address of one.
pub fn files(run: &Value) -> Files {
    let mut files = Files::default();
    files.take(run.pointer("/metrics/fileSummary/manifest/fileInfo"));
    for activity in activities(run).iter().take(STAGES_MAX) {
        files.take(activity.pointer("/fileSummary/manifest/fileInfo"));
        files.take(activity.pointer("/fileSummary/extensions/manifest/fileInfo"));
        for (what, key) in [
            ("All rejected records", "failedRecords"),
            ("Some rejected records", "sampleErrors"),
        ] {
            let pointer = format!("/statusSummary/extensions/manifest/{key}");
            files.tell(what, activity.pointer(&pointer));
        }
    }
    files
}

impl Files {
    fn take(&mut self, info: Option<&Value>) {
        let Some(Value::Array(listed)) = info else {
            return self.tell("The files that were taken", info);
        };
        for file in listed {
            let path = ["/pathPrefix", "/path"]
                .iter()
                .find_map(|key| wire::text(file, key));
            let Some(path) = path.or_else(|| file.as_str().map(str::to_owned)) else {
                continue;
            };
            if self.named.len() < FILES_MAX {
                let size = count(file, "/outputBytes");
                self.named.push((clean(&path, PATH_BYTES), size));
            } else {
                self.more += 1;
            }
        }
    }

    fn tell(&mut self, what: &'static str, address: Option<&Value>) {
        let address = address.and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(address) = address.map(|text| (what, clean(text, PATH_BYTES)))
            && !self.addresses.contains(&address)
        {
            self.addresses.push(address);
        }
    }
}

fn stage(activity: &Value) -> Stage {
    let status = wire::text(activity, "/statusSummary/status").unwrap_or_default();
    let records_failed = count(activity, "/recordSummary/failedRecordCount");
    let has_errors = ["/statusSummary/errors", "/statusSummary/extensions/errors"]
        .iter()
        .any(|pointer| !elements(activity, pointer).is_empty());
    Stage {
        name: name_of(activity),
        outcome: RunOutcome::read(&status, records_failed, has_errors),
        status: clean(&status, NAME_BYTES),
        started_at: wire::moment(activity, "/durationSummary/startedAtUTC"),
        completed_at: wire::moment(activity, "/durationSummary/completedAtUTC"),
        records_in: count(activity, "/recordSummary/inputRecordCount"),
        records_out: count(activity, "/recordSummary/outputRecordCount"),
        records_failed,
        records_skipped: count(activity, "/recordSummary/skippedRecordCount"),
        files_in: count(activity, "/fileSummary/inputFileCount"),
        files_out: count(activity, "/fileSummary/outputFileCount"),
        bytes_in: count(activity, "/sizeSummary/inputBytes"),
        bytes_out: count(activity, "/sizeSummary/outputBytes"),
        batch_ids: batch_ids(activity),
    }
}

fn batch_ids(activity: &Value) -> Vec<String> {
    elements(activity, "/targetInfo")
        .iter()
        .filter(|target| {
            let kind = wire::text(target, "/reference/type").unwrap_or_default();
            kind.eq_ignore_ascii_case("batch")
        })
        .flat_map(|target| wire::texts(target, "/reference/ids"))
        .take(BATCHES_MAX)
        .map(|id| clean(&id, NAME_BYTES))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_partial_run_tells_where_rows_were_lost() {
        let run = json!({"activities": [
            {"id": "copyActivity", "durationSummary": {"startedAtUTC": 1_596_656_058_198_i64,
                "completedAtUTC": 1_596_656_068_198_i64},
                "fileSummary": {"inputFileCount": 1}, "statusSummary": {"status": "success"}},
            {"id": "promotionActivity", "recordSummary": {"inputRecordCount": 9, "outputRecordCount": "7",
                "failedRecordCount": 2}, "sizeSummary": {"inputBytes": -1},
                "statusSummary": {"status": "success", "errors": [{"code": "CONNECTOR-2001-500"}]},
                "targetInfo": [{"reference": {"type": "Batch", "ids": ["b1"]}}, {"reference": {"type": "Other"}}]},
        ]});
        let [copy, load] = &stages(&run)[..] else {
            panic!("two stages")
        };
        assert_eq!(
            (copy.name.as_str(), copy.outcome),
            ("Copy from the source", RunOutcome::Succeeded)
        );
        assert_eq!(
            copy.completed_at.zip(copy.started_at).map(|(to, from)| to - from),
            Some(10_000)
        );
        assert_eq!(
            (load.outcome, load.bytes_in, load.records_out, load.records_failed),
            (RunOutcome::Partial, None, Some(7), Some(2))
        );
        assert_eq!(load.batch_ids, ["b1"]);
    }

    #[test]
    fn odd_documents_have_no_stages() {
        for odd in [
            json!(null),
            json!([]),
            json!({"activities": {}}),
            json!({"activities": "x"}),
        ] {
            assert!(stages(&odd).is_empty(), "{odd}");
            assert_eq!(files(&odd), Files::default(), "{odd}");
        }
        let named = json!({"activites": [{"name": "Copy", "statusSummary": 4}, 7]});
        let names: Vec<String> = stages(&named).into_iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["Copy", "Stage without a name"]);
    }

    #[test]
    fn files_are_named_in_every_form_that_the_documents_show() {
        let manifest = |info: Value| json!({"metrics": {"fileSummary": {"manifest": {"fileInfo": info}}}});
        let listed = files(&manifest(json!([
            {"path": "https://x", "pathPrefix": "/in/a.csv", "outputBytes": 12}, {"path": "/in/b.csv"}, 7
        ])));
        assert_eq!(
            listed.named,
            [("/in/a.csv".to_owned(), Some(12)), ("/in/b.csv".to_owned(), None)]
        );
        let address = |what, text: &str| (what, text.to_owned());
        assert_eq!(
            files(&manifest(json!("https://x"))).addresses,
            [address("The files that were taken", "https://x")]
        );
        let inside = json!({"activities": [{
            "fileSummary": {"extensions": {"manifest": {"fileInfo": "https://y"}}},
            "statusSummary": {"extensions": {"manifest": {"failedRecords": "https://z"}}}
        }]});
        assert_eq!(
            files(&inside).addresses,
            [
                address("The files that were taken", "https://y"),
                address("All rejected records", "https://z")
            ]
        );
        let many = files(&manifest(json!(vec![json!({"path": "/in/a.csv"}); 12_345])));
        assert_eq!((many.named.len(), many.more), (FILES_MAX, 12_345 - FILES_MAX));
    }
}
