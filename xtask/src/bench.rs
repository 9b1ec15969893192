//! What is measured, and where do the reports go?

use anyhow::Result;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// The size of the browser's bundle.
    Size,
}

pub fn bench(what: &[What]) -> Result<()> {
    let what = if what.is_empty() { &[What::Size] } else { what };
    for one in what {
        match one {
            What::Size => crate::bundle::bundle(crate::bundle::Profile::Small)?,
        }
    }
    Ok(())
}
