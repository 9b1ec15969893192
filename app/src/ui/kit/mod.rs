//! Which parts are all pages made of?

pub mod icon;

pub use icon::Icon;
