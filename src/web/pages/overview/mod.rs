//! What needs me now, and the same for a wall.

mod attention;
pub mod board;
pub mod board_links;
pub mod show;
mod situation;
