//! Text that is written where it stands, on a page or in a sentence, without a string of its own: a page has hundreds
//! of numbers and times.

use std::fmt::{self, Display, Write};

use askama::filters::HtmlSafe;
use askama::{FastWritable, Values};

/// Such a text. It goes into HTML as it is.
pub trait Written: Display + FastWritable + HtmlSafe {
    /// Writes it.
    ///
    /// # Errors
    /// What it is written to takes no more.
    fn write_to(&self, out: &mut dyn Write) -> fmt::Result;
}

/// What `write` writes. It has to be of our own making: nothing that people or the platform wrote, and nothing that
/// HTML would read as anything but text.
pub fn written(write: impl Fn(&mut dyn Write) -> fmt::Result) -> impl Written {
    By(write)
}

struct By<F>(F);

impl<F: Fn(&mut dyn Write) -> fmt::Result> Written for By<F> {
    fn write_to(&self, out: &mut dyn Write) -> fmt::Result {
        self.0(out)
    }
}

impl<F: Fn(&mut dyn Write) -> fmt::Result> Display for By<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0(f)
    }
}

impl<F: Fn(&mut dyn Write) -> fmt::Result> FastWritable for By<F> {
    fn write_into(&self, dest: &mut dyn Write, _: &dyn Values) -> askama::Result<()> {
        Ok(self.0(dest)?)
    }
}

impl<F: Fn(&mut dyn Write) -> fmt::Result> HtmlSafe for By<F> {}
