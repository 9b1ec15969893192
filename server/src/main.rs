//! Where does `fletchline` start?

fn main() {}
