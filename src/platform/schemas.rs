//! tmp
pub(super) const LIST_ACCEPT: &str = "application/vnd.adobe.xed+json";
