//! The routes as data. The router is built from the table, and so are the access tests and the
//! documentation; there is no other way to add a route.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use tower_http::limit::RequestBodyLimitLayer;

use super::csrf::{self, Csrf};
use super::error::PageError;
use super::host::OwnOrigin;
use super::limits;
use super::session::{Access, CurrentSession, refuse};

/// One route.
#[derive(Debug, Clone)]
pub struct Route<S> {
    /// The method; a route for GET answers HEAD too.
    pub method: Method,
    /// The path, with parameters as in `/flows/{id}`.
    pub path: &'static str,
    /// Who may use it, at least.
    pub least: Access,
    /// What proves that a request was meant.
    pub csrf: Csrf,
    /// Largest body, in bytes.
    pub body_limit: usize,
    /// The audit event that the handler writes, if it changes or reveals something.
    pub audit: Option<&'static str>,
    /// Binds the handler to the method, such as `|method| on(method, show)`.
    pub handler: fn(MethodFilter) -> MethodRouter<S>,
}

impl<S> Route<S> {
    /// A page or file to read: no body, no proof.
    pub const fn get(
        path: &'static str,
        least: Access,
        handler: fn(MethodFilter) -> MethodRouter<S>,
    ) -> Self {
        Self {
            method: Method::GET,
            path,
            least,
            csrf: Csrf::None,
            body_limit: 0,
            audit: None,
            handler,
        }
    }

    /// A form that changes something: the session's token is asked for.
    pub const fn post(
        path: &'static str,
        least: Access,
        handler: fn(MethodFilter) -> MethodRouter<S>,
    ) -> Self {
        let body_limit = limits::FORM_BODY_BYTES;
        Self {
            method: Method::POST,
            path,
            least,
            csrf: Csrf::Token,
            body_limit,
            audit: None,
            handler,
        }
    }

    /// Asks for another proof.
    pub const fn csrf(mut self, csrf: Csrf) -> Self {
        self.csrf = csrf;
        self
    }

    /// Takes a body of another size, in bytes.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Names the audit event that the handler writes.
    pub const fn audited(mut self, event: &'static str) -> Self {
        self.audit = Some(event);
        self
    }
}

/// What a route asks of a request before its handler sees it.
#[derive(Debug, Clone, Copy)]
struct Rules {
    least: Access,
    csrf: Csrf,
    body_limit: usize,
}

/// Builds the router. The session layer goes around it, [`super::layers::wrap`] around both.
///
/// # Panics
/// Two rows with the same method and path, or a method that the router does not know.
pub fn build<S: Clone + Send + Sync + 'static>(routes: &[Route<S>]) -> Router<S> {
    routes.iter().fold(Router::new(), |router, route| {
        #[expect(
            clippy::expect_used,
            reason = "the table is constant, and every test that builds the router proves it"
        )]
        let method =
            MethodFilter::try_from(route.method.clone()).expect("the table holds methods of HTTP only");
        let rules = Rules {
            least: route.least,
            csrf: route.csrf,
            body_limit: route.body_limit,
        };
        let handler = (route.handler)(method)
            .route_layer(middleware::from_fn_with_state(rules, enforce))
            .route_layer(RequestBodyLimitLayer::new(route.body_limit));
        router.route(route.path, handler)
    })
}

/// Whether a path is that of a page in the table.
pub fn is_page<S>(routes: &[Route<S>], path: &str) -> bool {
    routes
        .iter()
        .any(|route| route.method == Method::GET && matches(route.path, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let fits = match (
            expected.starts_with("{*"),
            expected.starts_with('{'),
            segments.next(),
        ) {
            (true, _, rest) => return rest.is_some_and(|rest| !rest.is_empty()),
            (_, true, Some(segment)) => !segment.is_empty(),
            (_, false, Some(segment)) => segment == expected,
            (_, _, None) => false,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

async fn enforce(State(rules): State<Rules>, request: Request, next: Next) -> Response {
    match admit(rules, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

async fn admit(rules: Rules, request: Request) -> Result<Request, Response> {
    if rules.csrf != Csrf::None {
        let own_origin = request
            .extensions()
            .get::<OwnOrigin>()
            .map_or("", |origin| &origin.0);
        csrf::check_origin(request.method(), request.headers(), own_origin)
            .map_err(IntoResponse::into_response)?;
    }
    let session = request.extensions().get::<CurrentSession>();
    if !rules.least.allows(session) {
        return Err(refuse(&request, session));
    }
    if rules.csrf != Csrf::Token || request.method().is_safe() {
        return Ok(request);
    }
    let Some(expected) = session.map(|session| session.csrf.clone()) else {
        return Err(PageError::not_found().into_response());
    };
    csrf::check_token(request, &expected, rules.body_limit)
        .await
        .map_err(IntoResponse::into_response)
}
