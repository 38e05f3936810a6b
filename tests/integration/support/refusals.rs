//! What Adobe does not take.

use headgate::emulator::Control;
use headgate::emulator::faults::{Fault, Rule};
use serde_json::json;

/// By the start of runs.
pub const BY_START: &str = "startedAtUTC%3E";
/// By the ids of runs.
pub const BY_IDS: &str = "id%3D%3D";

/// As where Adobe does not take this filter of runs, given as it stands in an address.
pub fn refuse_filter(control: &Control, filter: &str) {
    let refuse = Fault::Answer {
        status: 400,
        body: json!({"type": "https://ns.adobe.com/aep/errors/FLOW-1423-400", "title": "Unsupported filter",
            "status": 400, "report": {"detailed-message": "The filter field is not supported."}}),
    };
    let with_filter = Rule::on("GET", "**/runs").query_contains(filter);
    control.arm(with_filter.times(0).then(refuse));
}
