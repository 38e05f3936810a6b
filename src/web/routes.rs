//! Every route of the server, as data: the router, the access tests and the documentation come from it.

use axum::routing::on;

use super::assets;
use super::pages::setups;
use super::route_table::Route;
use super::session::Access;
use super::state::AppState;

/// All routes. There is no other way to add one.
pub const ROUTES: &[Route<AppState>] = &[
    // Files.
    Route::get(assets::ROUTE, Access::Public, |m| on(m, assets::serve)),
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
