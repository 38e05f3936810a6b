//! Every route of the server, as data: the router, the access tests and the documentation come from it.

use axum::routing::on;

use super::assets;
use super::pages::{drafts, environments, flows, setups, templates};
use super::route_table::Route;
use super::session::Access;
use super::state::AppState;

/// All routes. There is no other way to add one.
pub const ROUTES: &[Route<AppState>] = &[
    // Files.
    Route::get(assets::ROUTE, Access::Public, |m| on(m, assets::serve)),
    // Templates.
    Route::get("/templates", Access::Viewer, |m| on(m, templates::list::list)),
    Route::get("/templates/new", Access::Editor, |m| on(m, templates::new::show)),
    Route::post("/templates/new", Access::Editor, |m| {
        on(m, templates::new::create)
    })
    .audited("template.created"),
    Route::get("/templates/{id}", Access::Viewer, |m| {
        on(m, templates::show::show)
    }),
    Route::get("/templates/{id}/versions/{n}", Access::Viewer, |m| {
        on(m, templates::version::show)
    }),
    Route::get("/templates/{id}/edit", Access::Editor, |m| {
        on(m, templates::edit::show)
    }),
    Route::post("/templates/{id}/edit", Access::Editor, |m| {
        on(m, templates::edit::save)
    })
    .audited("template.saved"),
    Route::get("/templates/{id}/archive", Access::Editor, |m| {
        on(m, templates::archive::confirm)
    }),
    Route::post("/templates/{id}/archive", Access::Editor, |m| {
        on(m, templates::archive::archive)
    })
    .audited("template.archived"),
    Route::post("/templates/{id}/restore", Access::Editor, |m| {
        on(m, templates::archive::restore)
    })
    .audited("template.restored"),
    Route::get("/templates/{id}/use", Access::Editor, |m| {
        on(m, templates::use_template::show)
    }),
    Route::post("/templates/{id}/use", Access::Editor, |m| {
        on(m, templates::use_template::review)
    }),
    // Making a dataflow.
    Route::get("/flows/new", Access::Editor, |m| on(m, flows::new::show)),
    Route::get("/flows/new/{connector}", Access::Editor, |m| {
        on(m, flows::new_blank::show)
    }),
    Route::post("/flows/new/{connector}", Access::Editor, |m| {
        on(m, flows::new_blank::review)
    }),
    Route::get("/drafts", Access::Editor, |m| on(m, drafts::list::list)),
    Route::get("/drafts/{id}", Access::Editor, |m| on(m, drafts::show::show)),
    Route::get("/drafts/{id}/edit", Access::Editor, |m| on(m, drafts::edit::show)),
    Route::post("/drafts/{id}/edit", Access::Editor, |m| on(m, drafts::edit::save)),
    Route::post("/drafts/{id}/create", Access::Editor, |m| {
        on(m, drafts::create::create)
    })
    .audited("setup.started"),
    Route::post("/drafts/{id}/delete", Access::Editor, |m| {
        on(m, drafts::delete::delete)
    }),
    Route::get("/environments/{id}/choices/{kind}", Access::Editor, |m| {
        on(m, environments::choices::list)
    }),
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
