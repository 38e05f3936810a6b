//! What a browser fetched, from its performance log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chrome::Chrome;

/// One thing that was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its address.
    pub url: String,
    /// Bytes on the wire, headers and compressed body; 0 for what came from the cache or never ended.
    pub bytes: u64,
}

/// Takes what was fetched from any host since the last time; a browser's own pages and data addresses have none.
pub async fn fetched(chrome: &Chrome) -> Vec<Fetched> {
    let mut by_id: BTreeMap<String, Fetched> = BTreeMap::new();
    for entry in chrome.log("performance").await {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
        let (method, parameters) = (&message["message"]["method"], &message["message"]["params"]);
        let id = parameters["requestId"].as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            Some("Network.requestWillBeSent") => {
                let url = parameters["request"]["url"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                if url.starts_with("http") || url.starts_with("ws") {
                    by_id.entry(id).or_insert(Fetched { url, bytes: 0 });
                }
            }
            Some("Network.loadingFinished") => {
                if let Some(fetched) = by_id.get_mut(&id) {
                    // Numbers of the protocol are floating-point ones.
                    fetched.bytes = parameters["encodedDataLength"].as_f64().unwrap_or_default() as u64;
                }
            }
            _ => {}
        }
    }
    by_id.into_values().collect()
}
