//! Forms as data, so that those generated from connector descriptions look and behave like the hand-written ones.

pub mod field;
pub mod recipe_form;
pub mod recipe_page;
pub mod recipe_words;
