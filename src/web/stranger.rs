//! A visit by somebody who need not be signed in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::layout::{Layout, Theme};
use super::request_id::RequestId;
use super::session_layer::client_address;
use crate::accounts::Visitor;

/// What is known of somebody without a session.
#[derive(Debug, Clone)]
pub struct Stranger {
    client_address: String,
    request_id: String,
    theme: Theme,
}

impl<S: Send + Sync> FromRequestParts<S> for Stranger {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let request_id = parts.extensions.get::<RequestId>();
        Ok(Self {
            client_address: client_address(&parts.extensions),
            request_id: request_id.map_or_else(String::new, |id| id.as_str().to_owned()),
            theme: Theme::of(&parts.headers),
        })
    }
}

impl Stranger {
    /// Who stands in the audit trail for an attempt to sign in.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor {
            client_address: &self.client_address,
            request_id: &self.request_id,
        }
    }

    /// The frame around a page without a session.
    pub fn layout(&self, title: &str) -> Layout {
        Layout {
            theme: self.theme,
            ..Layout::signed_out(title, &self.request_id)
        }
    }
}
