//! Which parts are all pages made of?

mod asked;
mod dialog;
pub mod icon;
mod line;
mod menu;
mod pill;
mod remove;
mod rows;
mod say;
mod states;
mod tabs;

pub use asked::Asked;
pub use dialog::{Confirm, Dialog};
pub use icon::Icon;
pub use line::line;
pub use menu::{Item, Menu};
pub use pill::{KindChip, RunPill, StatusPill, TaskPill, Time};
pub use remove::{Loss, RemoveDialog};
pub use rows::rows;
pub use say::{Copyable, Toaster, Toasts, copy_text};
pub use states::{Empty, Failed, Loading};
pub use tabs::{Tab, Tabs};
