//! Every route of the server, as data: the router, the access tests and the documentation come from it.

use super::route_table::Route;
use super::state::AppState;

/// All routes. There is no other way to add one.
pub const ROUTES: &[Route<AppState>] = &[];
