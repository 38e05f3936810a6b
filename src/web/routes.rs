//! Every route of the server, as data: the router, the access tests and the documentation come from it.

use axum::routing::on;

use super::assets;
use super::csrf::Csrf;
use super::pages::{
    account, audit, drafts, environments, findings, flows, health, help, live, overview, refresh, runs,
    saved_views, session, setups, templates,
};
use super::route_table::Route;
use super::session::Access;
use super::state::AppState;

/// All routes. There is no other way to add one.
pub const ROUTES: &[Route<AppState>] = &[
    // Files.
    Route::get(assets::ROUTE, Access::Public, |m| on(m, assets::serve)),
    // Flows and their runs.
    Route::get("/", Access::Viewer, |m| on(m, overview::show::show)),
    // For walls; the handler looks whether there is a session or a link.
    Route::get("/board", Access::Public, |m| on(m, overview::board::show)),
    Route::get("/board/live", Access::Public, |m| on(m, overview::board::follow)),
    Route::get("/board/links", Access::Admin, |m| {
        on(m, overview::board_links::list)
    }),
    Route::post("/board/links", Access::Admin, |m| {
        on(m, overview::board_links::add)
    })
    .audited("board.shared"),
    Route::post("/board/links/{id}/withdraw", Access::Admin, |m| {
        on(m, overview::board_links::withdraw)
    })
    .audited("board.withdrawn"),
    Route::get("/runs", Access::Viewer, |m| on(m, runs::list::list)),
    Route::get("/flows", Access::Viewer, |m| on(m, flows::list::list)),
    Route::get("/flows/{id}", Access::Viewer, |m| on(m, flows::show::show)),
    Route::get("/flows/{id}/status", Access::Viewer, |m| {
        on(m, flows::status::status)
    }),
    Route::get("/flows/{id}/history", Access::Viewer, |m| {
        on(m, flows::history::show)
    }),
    Route::get("/flows/{id}/configurations/{number}", Access::Viewer, |m| {
        on(m, flows::history::configuration)
    }),
    Route::get("/flows/{id}/raw", Access::Viewer, |m| on(m, flows::raw::flow)),
    Route::get("/flows/{id}/runs/{run_id}", Access::Viewer, |m| {
        on(m, flows::run::show)
    }),
    Route::get("/flows/{id}/runs/at/{started_at}", Access::Viewer, |m| {
        on(m, flows::run_at::show)
    }),
    Route::get("/flows/{id}/runs/new", Access::Viewer, |m| {
        on(m, flows::run_window::show)
    }),
    Route::post("/flows/{id}/runs/new", Access::Editor, |m| {
        on(m, flows::run_window::submit)
    })
    .audited("flow.window_run"),
    Route::post("/flows/{id}/runs/{run_id}/again", Access::Editor, |m| {
        on(m, flows::run_again::submit)
    })
    .audited("flow.run_again"),
    Route::get("/flows/{id}/runs/{run_id}/raw", Access::Viewer, |m| {
        on(m, flows::raw::run)
    }),
    Route::post("/flows/{id}/enable", Access::Editor, |m| {
        on(m, flows::switch::enable)
    })
    .audited("flow.enabled"),
    Route::post("/flows/{id}/disable", Access::Editor, |m| {
        on(m, flows::switch::disable)
    })
    .audited("flow.disabled"),
    // All runs, as files.
    Route::get("/flows/{id}/runs.csv", Access::Viewer, |m| {
        on(m, runs::export::flow_csv)
    }),
    Route::get("/flows/{id}/runs.jsonl", Access::Viewer, |m| {
        on(m, runs::export::flow_json_lines)
    }),
    Route::get("/runs.csv", Access::Viewer, |m| on(m, runs::export::csv)),
    Route::get("/runs.jsonl", Access::Viewer, |m| on(m, runs::export::json_lines)),
    // What Adobe's codes mean.
    Route::get("/help/errors", Access::SignedIn, |m| {
        on(m, help::error_codes::list)
    }),
    Route::get("/help/errors/{code}", Access::SignedIn, |m| {
        on(m, help::error_code::show)
    }),
    // Views of lists.
    Route::post("/views", Access::Viewer, |m| on(m, saved_views::save::submit)).audited("view.saved"),
    Route::get("/views/{id}", Access::Viewer, |m| on(m, saved_views::edit::show)),
    Route::post("/views/{id}", Access::Viewer, |m| {
        on(m, saved_views::edit::submit)
    })
    .audited("view.saved"),
    Route::post("/views/{id}/delete", Access::Viewer, |m| {
        on(m, saved_views::edit::delete)
    })
    .audited("view.deleted"),
    Route::get("/live", Access::Viewer, |m| on(m, live::of_team)),
    Route::get("/flows/{id}/live", Access::Viewer, |m| on(m, live::of_flow)),
    Route::post("/refresh", Access::Viewer, |m| on(m, refresh::submit)),
    // Health.
    Route::get("/healthz", Access::Public, |m| on(m, health::alive)),
    Route::get("/readyz", Access::Public, |m| on(m, health::ready)),
    // Signing in and out.
    Route::get("/sign-in", Access::Public, |m| on(m, session::sign_in::show)),
    Route::post("/sign-in", Access::Public, |m| on(m, session::sign_in::submit))
        .csrf(Csrf::Origin)
        .audited("session.started"),
    Route::post("/sign-in/demo", Access::Public, |m| {
        on(m, session::sign_in_demo::submit)
    })
    .csrf(Csrf::Origin)
    .audited("session.started"),
    Route::post("/sign-out", Access::SignedIn, |m| {
        on(m, session::sign_out::submit)
    })
    .audited("session.ended"),
    // One's own account.
    Route::get("/account", Access::SignedIn, |m| on(m, account::show::show)),
    Route::post("/account", Access::SignedIn, |m| on(m, account::show::submit))
        .audited("user.time_zone_changed"),
    Route::post("/account/password", Access::SignedIn, |m| {
        on(m, account::password::submit)
    })
    .audited("user.password_changed"),
    Route::post("/account/sessions/{id}/end", Access::SignedIn, |m| {
        on(m, account::end_session::submit)
    })
    .audited("session.ended"),
    Route::post("/theme", Access::SignedIn, |m| on(m, account::theme::submit)),
    // Environments.
    Route::get("/environments", Access::Viewer, |m| {
        on(m, environments::list::list)
    }),
    Route::get("/environments/new", Access::Admin, |m| {
        on(m, environments::new::show)
    }),
    Route::post("/environments", Access::Admin, |m| {
        on(m, environments::new::submit)
    })
    .audited("environment.added"),
    Route::get("/environments/{id}", Access::Viewer, |m| {
        on(m, environments::show::show)
    }),
    Route::get("/environments/{id}/edit", Access::Admin, |m| {
        on(m, environments::edit::show)
    }),
    Route::post("/environments/{id}/edit", Access::Admin, |m| {
        on(m, environments::edit::submit)
    })
    .audited("environment.saved"),
    Route::post("/environments/{id}/check", Access::Admin, |m| {
        on(m, environments::check::submit)
    })
    .audited("environment.checked"),
    Route::get("/environments/{id}/archive", Access::Admin, |m| {
        on(m, environments::archive::show)
    }),
    Route::post("/environments/{id}/archive", Access::Admin, |m| {
        on(m, environments::archive::submit)
    })
    .audited("environment.archived"),
    Route::post("/environments/{id}/select", Access::Viewer, |m| {
        on(m, environments::select::submit)
    }),
    // Who did what.
    Route::get("/audit", Access::Viewer, |m| on(m, audit::list::list)).audited("audit.read"),
    Route::get("/audit/{seq}", Access::Viewer, |m| on(m, audit::show::show)),
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
    Route::get("/setups/{id}/change", Access::Editor, |m| {
        on(m, setups::change::show)
    }),
    Route::post("/setups/{id}/change", Access::Editor, |m| {
        on(m, setups::change::save)
    })
    .audited("setup.changed"),
    Route::post("/setups/{id}/start-soon", Access::Editor, |m| {
        on(m, setups::decide::start_soon)
    })
    .audited("setup.changed"),
    Route::post("/setups/{id}/keep", Access::Editor, |m| {
        on(m, setups::decide::keep)
    })
    .audited("setup.keep_requested"),
    Route::get("/setups/{id}/leave", Access::Editor, |m| {
        on(m, setups::decide::confirm_leave)
    }),
    Route::post("/setups/{id}/leave", Access::Editor, |m| {
        on(m, setups::decide::leave)
    })
    .audited("setup.leave_requested"),
    Route::get("/setups/{id}/undo", Access::Editor, |m| {
        on(m, setups::decide::confirm_undo)
    }),
    Route::post("/setups/{id}/undo", Access::Editor, |m| {
        on(m, setups::decide::undo)
    })
    .audited("setup.undo_requested"),
    // What does not fit.
    Route::get("/findings", Access::Viewer, |m| on(m, findings::list::list)),
    Route::get("/findings/{id}/delete", Access::Editor, |m| {
        on(m, findings::delete::show)
    }),
    Route::post("/findings/{id}/delete", Access::Editor, |m| {
        on(m, findings::delete::submit)
    })
    .audited("finding.deleted"),
    Route::post("/findings/{id}/dismiss", Access::Editor, |m| {
        on(m, findings::dismiss::submit)
    })
    .audited("finding.dismissed"),
];
