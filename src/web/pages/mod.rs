//! One folder per area, one file per page; the listing of these folders is the site map.

pub mod setups;
