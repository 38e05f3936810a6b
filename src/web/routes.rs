//! Every route of the server, as data: the router, the access tests and the documentation come from it.

use axum::routing::on;

use super::assets;
use super::pages::{flows, overview, setups};
use super::route_table::Route;
use super::session::Access;
use super::state::AppState;

/// All routes. There is no other way to add one.
pub const ROUTES: &[Route<AppState>] = &[
    // Files.
    Route::get(assets::ROUTE, Access::Public, |m| on(m, assets::serve)),
    // Flows and their runs.
    Route::get("/", Access::Viewer, |m| on(m, overview::show::show)),
    Route::get("/flows", Access::Viewer, |m| on(m, flows::list::list)),
    Route::get("/flows/{id}", Access::Viewer, |m| on(m, flows::show::show)),
    Route::get("/flows/{id}/status", Access::Viewer, |m| {
        on(m, flows::status::status)
    }),
    Route::get("/flows/{id}/runs/{run_id}", Access::Viewer, |m| {
        on(m, flows::run::show)
    }),
    Route::post("/flows/{id}/enable", Access::Editor, |m| {
        on(m, flows::switch::enable)
    })
    .audited("flow.enabled"),
    Route::post("/flows/{id}/disable", Access::Editor, |m| {
        on(m, flows::switch::disable)
    })
    .audited("flow.disabled"),
    // Setups.
    Route::get("/setups", Access::Viewer, |m| on(m, setups::list::list)),
    Route::get("/setups/{id}", Access::Viewer, |m| on(m, setups::show::show)),
    Route::get("/setups/{id}/progress", Access::Viewer, |m| {
        on(m, setups::show::progress)
    }),
    Route::get("/setups/{id}/events", Access::Viewer, |m| {
        on(m, setups::events::events)
    }),
    Route::post("/setups/{id}/resume", Access::Editor, |m| {
        on(m, setups::decide::resume)
    })
    .audited("setup.resumed"),
    Route::get("/setups/{id}/undo", Access::Editor, |m| {
        on(m, setups::decide::confirm_undo)
    }),
    Route::post("/setups/{id}/undo", Access::Editor, |m| {
        on(m, setups::decide::undo)
    })
    .audited("setup.undo_requested"),
];
