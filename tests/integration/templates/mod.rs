//! Templates and the forms made from them, as an analyst uses them.

mod bad_input;
mod saving;
mod using;
