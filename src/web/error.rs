//! What is told when something cannot be done: what happened, whether anything changed, what to do.

use std::borrow::Cow;
use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

type Text = Cow<'static, str>;

/// An error on its way to a person. As a response it is a status with an [`ErrorContext`] in its
/// extensions; [`super::error_pages`] makes the page, the fragment or the JSON of it.
#[derive(Debug)]
pub struct PageError {
    context: Box<ErrorContext>,
    retry_after_s: Option<u32>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What people are told. Holds no cause: that goes to the log only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorContext {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable name for scripts and support, such as `not_found` or `store.busy`.
    pub code: &'static str,
    /// The heading.
    pub title: Text,
    /// What happened.
    pub what: Text,
    /// Whether anything was changed.
    pub changed: Changed,
    /// What to do next.
    pub advice: Text,
}

/// Whether a request that failed has changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Certainly not.
    Nothing,
    /// Certainly not, and nothing was sent to Adobe either.
    NothingNorSent,
    /// It may have.
    Unknown,
    /// It has: what.
    Something(Text),
}

impl std::fmt::Display for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing was changed.",
            Self::NothingNorSent => "Nothing was changed or sent.",
            Self::Unknown => "It is not known whether anything was changed: look before you try again.",
            Self::Something(what) => what,
        })
    }
}

impl PageError {
    /// An error that changed nothing. `code` is a stable name, `title` the heading.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<Text>) -> Self {
        let context = Box::new(ErrorContext {
            status,
            code,
            title: title.into(),
            what: Text::default(),
            changed: Changed::Nothing,
            advice: Text::default(),
        });
        Self {
            context,
            retry_after_s: None,
            cause: None,
        }
    }

    /// Tells what happened, in one or two sentences.
    pub fn what(mut self, what: impl Into<Text>) -> Self {
        self.context.what = what.into();
        self
    }

    /// Tells what was changed all the same.
    pub fn changed(mut self, changed: Changed) -> Self {
        self.context.changed = changed;
        self
    }

    /// Tells what to do next.
    pub fn advice(mut self, advice: impl Into<Text>) -> Self {
        self.context.advice = advice.into();
        self
    }

    /// Keeps the cause for the log.
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What people will be told.
    pub fn context(&self) -> &ErrorContext {
        &self.context
    }

    /// 404, also for what exists but is not for this person.
    pub fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// 500: a fault of ours.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR).because(cause)
    }

    /// 503: the database could not take the change in time.
    pub fn store_busy() -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "store.busy", "Headgate is busy")
            .what("Too much is being written at this moment.")
            .advice("Wait a few seconds and send it again.");
        error.retry_after_s = Some(2);
        error
    }

    /// 413, or a body that stopped half-way.
    pub(super) fn unread_body(limit_bytes: usize) -> Self {
        Self::of_status(StatusCode::PAYLOAD_TOO_LARGE).what(format!(
            "What was sent is over {} KiB or stopped half-way.",
            limit_bytes / 1024
        ))
    }

    /// What to tell for a bare status that a library answered with.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (code, title, what, advice) = match status {
            StatusCode::BAD_REQUEST => (
                "input.form",
                "This request cannot be read",
                "Its form does not fit what is expected here.",
                "Go back, reload the page and try again.",
            ),
            StatusCode::UNAUTHORIZED => (
                "signed_out",
                "You are not signed in",
                "Your session has ended.",
                "Sign in and try again.",
            ),
            StatusCode::FORBIDDEN => (
                "forbidden",
                "This is not for you",
                "Your role does not include it.",
                "Ask an admin of your team.",
            ),
            StatusCode::NOT_FOUND => (
                "not_found",
                "There is nothing here",
                "The address is wrong, or the thing was removed, or it belongs to another team.",
                "Go to the overview and look for it there.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method",
                "This cannot be done here",
                "The address exists, but does not take this kind of request.",
                "Go to the page and use its buttons.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "input.size",
                "That is too much at once",
                "What was sent is larger than this form takes.",
                "Shorten it and send it again.",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "input.type",
                "This request cannot be read",
                "It is of a kind that is not taken here.",
                "Use the form on the page.",
            ),
            StatusCode::UNPROCESSABLE_ENTITY => (
                "input.fields",
                "This request cannot be read",
                "A field is missing, repeated or not known here.",
                "Go back, reload the page and fill in the form again.",
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                "too_many",
                "That was too often",
                "More was asked for than one person may ask for at once.",
                "Wait a minute and try again.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "unavailable",
                "Headgate cannot answer now",
                "It is starting, stopping or busy.",
                "Wait a few seconds and try again.",
            ),
            status if status.is_client_error() => (
                "input",
                "This request was not accepted",
                "It does not fit what is expected here.",
                "Go back, reload the page and try again.",
            ),
            _ => (
                "internal",
                "Headgate made a mistake",
                "Something went wrong that should not; it is in the log under the reference below.",
                "Try again. If it stays, tell your administrator the reference.",
            ),
        };
        let changed = if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            Changed::Unknown
        } else {
            Changed::Nothing
        };
        Self::new(status, code, title)
            .what(what)
            .changed(changed)
            .advice(advice)
    }

    /// 503: a handler did not answer in time.
    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "This took too long")
            .what("Headgate gave up waiting. Work that was begun goes on and is shown on its page.")
            .changed(Changed::Unknown)
            .advice("Reload the page to see where things stand.")
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Self {
            context,
            retry_after_s,
            cause,
        } = self;
        let (code, status) = (context.code, context.status.as_u16());
        match cause {
            Some(cause) if context.status.is_server_error() => {
                tracing::error!(code, status, cause = chain(cause.as_ref()), "{}", context.title);
            }
            Some(cause) => tracing::info!(code, status, cause = chain(cause.as_ref()), "{}", context.title),
            None => tracing::debug!(code, status, "{}", context.title),
        }
        let mut response = context.status.into_response();
        if let Some(seconds) = retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(*context);
        response
    }
}

/// An error with everything that led to it, for one log field.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
