//! `GET /environments/{id}/choices/{kind}`: what exists at Adobe to choose from, for a field or as a page.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::connector::connector;
use crate::platform::PlatformClient;
use crate::store;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Longest wait for Adobe: the field can be filled in by hand meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Template)]
#[template(path = "environments/choices.html")]
struct ChoicesPage {
    layout: Layout,
    environment: String,
    kind: Kind,
    listed: Listed,
    href: String,
}

#[derive(Template)]
#[template(path = "environments/choices_fragment.html")]
struct ChoicesFragment {
    kind: Kind,
    listed: Listed,
    href: String,
}

/// Id and name of each, or why they could not be read.
type Listed = Result<Vec<(String, String)>, String>;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Connections,
    Schemas,
    Datasets,
}

/// For connections: of which kind of source.
#[derive(Debug, Deserialize)]
pub struct ChoicesQuery {
    #[serde(default)]
    connector: String,
}

/// The list, as a page or as proposals for the field that asked.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Path((id, kind)): Path<(String, String)>,
    Query(query): Query<ChoicesQuery>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let kind = Kind::of_word(&kind).ok_or_else(PageError::not_found)?;
    let environment = store::environments::by_id(&state.store, &visit.session.team_id, &id).await?;
    let environment = environment.ok_or_else(PageError::not_found)?;
    let listed = match state.clients.client_for(&environment.access()) {
        Ok(client) => read(&client, kind, &query.connector).await,
        Err(error) => Err(error.to_string()),
    };
    let href = format!(
        "/environments/{id}/choices/{}?connector={}",
        kind.word(),
        query.connector
    );
    if headers.contains_key("hx-request") {
        return page(&ChoicesFragment { kind, listed, href });
    }
    let visit = visit.in_environment(&id);
    page(&ChoicesPage {
        layout: visit.layout(
            format!("{} in {}", kind.title(), environment.name),
            NavEntry::Environments,
        ),
        environment: environment.name,
        kind,
        listed,
        href,
    })
}

async fn read(client: &PlatformClient, kind: Kind, slug: &str) -> Listed {
    let reading = async {
        match kind {
            Kind::Connections => {
                let spec_id = connector(slug).map_or("", |c| c.spec_id.as_str());
                client.connection_choices(spec_id).await
            }
            Kind::Schemas => client.schema_choices().await,
            Kind::Datasets => client.dataset_choices().await,
        }
    };
    match tokio::time::timeout(LONGEST_WAIT, reading).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "Adobe did not answer within {} seconds",
            LONGEST_WAIT.as_secs()
        )),
    }
}

impl Kind {
    fn of_word(word: &str) -> Option<Self> {
        [Self::Connections, Self::Schemas, Self::Datasets]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Schemas => "schemas",
            Self::Datasets => "datasets",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Connections => "Connections",
            Self::Schemas => "Schemas",
            Self::Datasets => "Datasets",
        }
    }

    /// The field of the form that they are proposals for.
    fn field(self) -> &'static str {
        match self {
            Self::Connections => "base_connection_id",
            Self::Schemas => "schema_id",
            Self::Datasets => "dataset_id",
        }
    }
}
