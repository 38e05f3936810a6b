//! One folder per area, one file per page; the listing of these folders is the site map.

pub mod account;
pub mod audit;
pub mod drafts;
pub mod environments;
mod filter_words;
pub mod findings;
pub mod flows;
mod freshness;
pub mod health;
pub mod help;
pub mod live;
pub mod overview;
pub mod refresh;
pub mod runs;
pub mod saved_views;
pub mod session;
pub mod setups;
pub mod templates;
