//! What an earlier installation has left in the demo's sandbox, so that there is something to find.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::domain::recipe::{PROFILE_CLASS, PROFILE_FIELD_GROUPS};
use crate::domain::setup::{StepKind, marker};
use crate::domain::{new_id, new_tag};
use crate::platform::{Call, ObjectKind, Outcome};
use crate::store;
use crate::web::state::AppState;

/// Makes a schema with a marker that no setup here knows, and looks through its environment.
pub(super) async fn leave(state: &AppState, environment_id: &str) -> anyhow::Result<()> {
    let environment = store::environments::any_by_id(&state.store, environment_id).await?;
    let environment = environment.ok_or_else(|| anyhow::anyhow!("the demo's environment vanished"))?;
    let client = state.clients.client_for(&environment.access())?;
    let parts = std::iter::once(PROFILE_CLASS).chain(PROFILE_FIELD_GROUPS.iter().copied());
    let body = json!({
        "type": "object",
        "title": "Partner loyalty (from last year's trial)",
        "description": marker(&new_tag(), StepKind::Schema),
        "allOf": parts.map(|id| json!({"$ref": id})).collect::<Vec<_>>(),
        "meta:class": PROFILE_CLASS,
    });
    let answer = client
        .send(&Call::create(ObjectKind::Schema, body), &new_id())
        .await;
    if let Outcome::Rejected(error) | Outcome::NotSent(error) | Outcome::Unknown(error) = answer.outcome {
        return Err(error.into());
    }
    state
        .sweep
        .environment(environment_id, &CancellationToken::new())
        .await?;
    Ok(())
}
