//! How does what an iterator gives become a map or a set at the least code?

pub trait Gather: Iterator + Sized {
    /// As `collect()`, one by one. `collect()` into a `BTreeMap` sorts first, and brings a sorting algorithm of its own
    /// into the browser's bundle for every type of key: together they were a twentieth of it.
    fn gather<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        all.extend(self);
        all
    }
}

impl<I: Iterator> Gather for I {}
