//! Pages, forms, charts and the frame around them: the only room that knows axum and askama.

pub mod assets;
pub mod call_view;
pub mod charts;
pub mod forms;
pub mod layout;
pub mod numbers;
pub mod status;
pub mod table;
pub mod times;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod template_lint;
#[cfg(test)]
mod token_tests;
