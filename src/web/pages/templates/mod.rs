//! Connection templates: finding, making, changing, using and archiving them.

pub mod archive;
pub mod edit;
mod form;
pub mod list;
mod loaded;
pub mod new;
pub mod show;
pub mod use_template;
pub mod version;
