//! Flow Service: specifications, connections, source and target connections, flows and runs.

mod actions;
mod checks;
mod connection_test;
mod deletion_checks;
mod entities;
mod explore;
mod filters;
mod flow_checks;
mod flows;
mod paging;
mod patch;
mod runs;
pub mod specs;

use std::sync::Arc;

use axum::Router;

use super::state::App;
pub use entities::{Kind, document};
pub use flows::lane;

const BASE: &str = "/data/foundation/flowservice";

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(specs::router())
        .merge(entities::router())
        .merge(connection_test::router())
        .merge(runs::router())
        .merge(explore::router())
}

/// Gives the object that a path names another etag, as another writer would. Nothing happens if there is none.
pub fn change_etag(app: &App, path: &str) {
    let Some((kind, id)) = path.strip_prefix(BASE).and_then(|rest| {
        let mut segments = rest.trim_start_matches('/').split('/');
        Some((Kind::of_segment(segments.next()?)?, segments.next()?))
    }) else {
        return;
    };
    let (mut world, now_ms) = app.world();
    for sandbox in &app.options.sandboxes {
        entities::opened(&mut world, kind, sandbox, id, now_ms);
    }
}
