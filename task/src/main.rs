//! What runs beside every task?

fn main() {}
