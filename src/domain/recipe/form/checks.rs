//! Rules for the texts of a recipe that are final.

use crate::domain::Problem;
use crate::domain::recipe::{Dataset, Recipe, Schema, blanks};
use crate::domain::texts::{self, NAME_MAX};

/// Checks every text that has no blanks; a resolved recipe has none, so all of it is checked.
pub fn check_final_texts(recipe: &Recipe) -> Vec<Problem> {
    let is_final = |text: &str| !blanks::has_blanks(text);
    let mut problems = Vec::new();
    if is_final(&recipe.flow_name) {
        problems.extend(texts::check_name("flow_name", "Flow name", &recipe.flow_name));
    }
    problems.extend(texts::check_text(
        "description",
        "Description",
        &recipe.description,
        texts::DESCRIPTION_MAX,
    ));
    if is_final(&recipe.path) {
        problems.extend(texts::check_path("path", &recipe.path));
    }
    match &recipe.schema {
        Schema::New { .. } => {
            let title = recipe.schema_title();
            if is_final(&title) && !recipe.flow_name.is_empty() {
                problems.extend(check_made_name("schema_title", "Schema title", &title));
            }
        }
        Schema::Existing { id } if is_final(id) && !id.starts_with("https://") => {
            problems.push(Problem::new(
                "schema_id",
                "input.schema",
                "Schema: give its $id, which begins with https://.",
            ))
        }
        Schema::Existing { .. } => {}
    }
    match &recipe.dataset {
        Dataset::New { .. } => {
            let name = recipe.dataset_name();
            if is_final(&name) && !recipe.flow_name.is_empty() {
                problems.extend(check_made_name("dataset_name", "Dataset name", &name));
            }
        }
        Dataset::Existing { id } if is_final(id) && !is_dataset_id(id) => problems.push(Problem::new(
            "dataset_id",
            "input.dataset",
            "Dataset: give its id, 24 digits and letters from a to f.",
        )),
        Dataset::Existing { .. } => {}
    }
    problems
}

/// A name that may have been made from the flow's: it may be somewhat longer than one that is typed.
fn check_made_name(field: &str, label: &str, name: &str) -> Option<Problem> {
    let short: String = name.chars().take(NAME_MAX).collect();
    texts::check_filterable_name(field, label, &short)
}

fn is_dataset_id(id: &str) -> bool {
    id.len() == 24 && id.chars().all(|c| c.is_ascii_hexdigit())
}
