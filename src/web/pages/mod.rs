//! One folder per area, one file per page; the listing of these folders is the site map.

pub mod flows;
mod freshness;
pub mod overview;
pub mod setups;
