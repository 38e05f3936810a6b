//! One HTTP call as a page shows it.

/// A call to the platform, planned or done, for `components/call.html`. Secrets are masked before it gets here.
#[derive(Clone, Debug)]
pub struct CallView {
    /// An id that is unique on the page and safe in an attribute, e.g. `call-3`.
    pub id: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, e.g. `/data/foundation/flowservice/flows`.
    pub path: String,
    /// What came back, e.g. `201 in 0.9 s`; `None` for a call that has not been made.
    pub outcome: Option<String>,
    /// The body that is sent, already indented; empty for none.
    pub body: String,
    /// The same call as a curl command; empty for none.
    pub curl: String,
    /// The body that came back, already indented; empty for none.
    pub answer: String,
}
