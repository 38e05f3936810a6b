//! What can go wrong between us and the platform, told so that a caller can decide and a person can act.

use std::fmt;
use std::time::Duration;

use super::reply::Reply;

/// One of Adobe's services. Its base path below `/data/foundation` is fixed by the published API files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Identity management: hands out access tokens.
    Ims,
    /// Connections, flows, runs and their specifications.
    FlowService,
    /// Schemas (XDM).
    SchemaRegistry,
    /// Datasets and batches.
    Catalog,
    /// Mapping sets.
    DataPrep,
    /// The list of sandboxes.
    Sandboxes,
}

impl Service {
    /// The service that answers at `path` (below `/data/foundation`), or `None` for a path of nobody we know.
    pub fn of_path(path: &str) -> Option<Self> {
        match path.trim_start_matches('/').split('/').next()? {
            "flowservice" => Some(Self::FlowService),
            "schemaregistry" => Some(Self::SchemaRegistry),
            "catalog" => Some(Self::Catalog),
            "conversion" => Some(Self::DataPrep),
            "sandbox-management" => Some(Self::Sandboxes),
            _ => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ims => "Adobe's sign-in service (IMS)",
            Self::FlowService => "Flow Service",
            Self::SchemaRegistry => "Schema Registry",
            Self::Catalog => "Catalog",
            Self::DataPrep => "Data Prep",
            Self::Sandboxes => "the sandbox service",
        })
    }
}

/// Why a call to the platform brought no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlatformError {
    /// No connection, or it broke.
    #[error(
        "{service} could not be reached ({cause}). {}",
        if *.left { "Whether the call arrived is not known." } else { "Nothing was sent; try again." }
    )]
    Unreachable {
        /// Who was called.
        service: Service,
        /// Whether a byte of the call possibly left this machine.
        left: bool,
        /// What the network said, without addresses.
        cause: String,
    },
    /// No complete answer in time.
    #[error("{service} did not answer in time. Whether the call took effect is not known.")]
    Timeout {
        /// Who was called.
        service: Service,
    },
    /// IMS refused the credential, or a service refused a fresh token.
    #[error("the API credential was refused; check client id, secret, scopes and organization. {0}")]
    Auth(Box<Reply>),
    /// A definite refusal in the service's own words; nothing was changed.
    #[error("{0}. Nothing was changed by this call.")]
    Refused(Box<Reply>),
    /// Too many calls; nothing was changed.
    #[error("too many calls: {reply}. Nothing was changed by this call; it can be sent again later.")]
    Throttled {
        /// What the service said.
        reply: Box<Reply>,
        /// How long the service asked us to wait, clamped to 1 s … 15 min.
        retry_after: Option<Duration>,
    },
    /// The service is unwell (5xx or 408); what it did is not known.
    #[error("{reply}. Whether the call took effect is not known.")]
    Unavailable {
        /// What the service said.
        reply: Box<Reply>,
        /// How long the service asked us to wait, clamped to 1 s … 15 min.
        retry_after: Option<Duration>,
    },
    /// An answer in a form nobody documented.
    #[error("{service} answered {status} in an unknown form: {detail}")]
    Unreadable {
        /// Who answered.
        service: Service,
        /// HTTP status.
        status: u16,
        /// What was missing or odd, in our words; never a part of the answer.
        detail: String,
    },
    /// The answer was longer than we read.
    #[error("{service} answered with more than {limit} bytes; the rest was not read")]
    TooLarge {
        /// Who answered.
        service: Service,
        /// The limit in bytes.
        limit: usize,
    },
    /// A list that could not be read to its end, so that it proves no absence.
    #[error("the list of {service} could not be read to its end: {detail}")]
    Incomplete {
        /// Whose list.
        service: Service,
        /// Where it stopped and why.
        detail: String,
    },
    /// The address is not one that this process was configured to call.
    #[error("the call to {origin} was blocked: it is not the configured address. Nothing was sent.")]
    OriginBlocked {
        /// Scheme, host and port.
        origin: String,
    },
    /// Calls are held back because the platform asked for it or keeps failing.
    #[error("calls to the platform are paused for {} s: {reason}. Nothing was sent.", .wait.as_secs().max(1))]
    Paused {
        /// How long still.
        wait: Duration,
        /// Why.
        reason: &'static str,
    },
    /// The right to act was lost, or would have ended before an answer could be waited for.
    #[error("the call was held back, because another worker may have taken over. Nothing was sent.")]
    Withheld,
    /// The call cannot be made as asked.
    #[error("the call cannot be made: {detail}. Nothing was sent.")]
    Invalid {
        /// What is wrong with it, without the value.
        detail: String,
    },
}

impl PlatformError {
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid {
            detail: detail.into(),
        }
    }

    pub(super) fn unreadable(service: Service, detail: impl Into<String>) -> Self {
        Self::Unreadable {
            service,
            status: 200,
            detail: detail.into(),
        }
    }

    /// What the service said, where it said something.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Auth(reply) | Self::Refused(reply) => Some(reply),
            Self::Throttled { reply, .. } | Self::Unavailable { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The HTTP status, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unreadable { status, .. } => Some(*status),
            other => other.reply().map(|reply| reply.status),
        }
    }

    /// The service's own code, for example `FLOW-1418-400`.
    pub fn code(&self) -> Option<&str> {
        self.reply()?.code.as_deref()
    }

    /// The id under which the service logged the call.
    pub fn upstream_request_id(&self) -> Option<&str> {
        self.reply()?.upstream_request_id.as_deref()
    }

    /// How long to wait before the next try, where somebody said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Paused { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// Whether the thing asked for does not exist. Flow Service documents 1439 with both 400 and 404.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Refused(reply) => {
                let code = reply.code.as_deref();
                // An unknown sandbox and a gateway that knows no route (codes of digits only) answer 404
                // too, but say nothing about the object.
                let about_others = code.is_some_and(|code| {
                    code.starts_with("FLOW-2") || code.bytes().all(|byte| byte.is_ascii_digit())
                });
                (reply.status == 404 && !about_others) || code.is_some_and(|c| c.starts_with("FLOW-1439"))
            }
            _ => false,
        }
    }

    /// In words for people, of a call that only reads: it cannot have changed anything, nor taken effect.
    pub fn of_a_read(&self) -> String {
        let words = match self {
            Self::Unreachable { service, cause, .. } => format!("{service} could not be reached ({cause})"),
            Self::Timeout { service } => format!("{service} did not answer in time"),
            Self::Throttled { reply, .. } => format!("Too many calls: {reply}"),
            Self::Refused(reply) | Self::Unavailable { reply, .. } => reply.to_string(),
            other => other.to_string(),
        };
        format!("{}.", words.trim_end_matches('.'))
    }

    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Throttled { .. }
                | Self::Unavailable { .. }
                | Self::Paused { .. }
                | Self::Withheld
        )
    }

    /// Whether the service definitely did not do what was asked, in its own words.
    pub(super) fn is_definite_refusal(&self) -> bool {
        matches!(self, Self::Auth(_) | Self::Refused(_) | Self::Throttled { .. })
    }

    pub(super) fn scrubbed(mut self, secrets: &[&str]) -> Self {
        match &mut self {
            Self::Auth(reply) | Self::Refused(reply) => reply.scrub(secrets),
            Self::Throttled { reply, .. } | Self::Unavailable { reply, .. } => reply.scrub(secrets),
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(status: u16, body: Value) -> Option<Reply> {
        Reply::parse(Service::FlowService, status, None, &body)
    }

    #[test]
    fn secrets_leave_every_text_field() {
        let reply = Reply::without_text(Service::Ims, 400, Some("id hunter22x".to_owned()));
        let reply = Reply {
            message: "hunter22 and hunter22x".to_owned(),
            ..reply
        };
        let error = PlatformError::Auth(Box::new(reply)).scrubbed(&["hunter22", "hunter22x"]);
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }

    #[test]
    fn of_a_read_nothing_is_said_about_its_effect() {
        let reply = || Box::new(Reply::without_text(Service::FlowService, 503, None));
        let told = [
            PlatformError::Unavailable {
                reply: reply(),
                retry_after: None,
            },
            PlatformError::Refused(reply()),
            PlatformError::Throttled {
                reply: reply(),
                retry_after: None,
            },
            PlatformError::Timeout {
                service: Service::FlowService,
            },
        ];
        for error in told {
            let words = error.of_a_read();
            assert!(words.ends_with('.') && !words.ends_with(".."), "{words}");
            assert!(!words.contains("effect") && !words.contains("changed"), "{words}");
        }
    }

    #[test]
    fn an_unknown_sandbox_is_no_missing_object() {
        let refused = |status, code: &str| {
            let body = json!({"type": format!("https://ns.adobe.com/aep/errors/{code}"), "title": "x"});
            PlatformError::Refused(Box::new(parse(status, body).unwrap()))
        };
        assert!(refused(404, "FLOW-1439-404").is_not_found());
        assert!(refused(400, "FLOW-1439-400").is_not_found());
        assert!(refused(404, "XDM-1010-404").is_not_found());
        assert!(!refused(404, "FLOW-2100-404").is_not_found());
        let gateway = parse(404, json!({"error_code": "404000", "message": "no route"})).unwrap();
        assert!(!PlatformError::Refused(Box::new(gateway)).is_not_found());
        assert!(!refused(400, "FLOW-1418-400").is_not_found());
    }
}
