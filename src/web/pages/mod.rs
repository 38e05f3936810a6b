//! One folder per area, one file per page; the listing of these folders is the site map.

pub mod drafts;
pub mod environments;
pub mod flows;
pub mod setups;
pub mod templates;
