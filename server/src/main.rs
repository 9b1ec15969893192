//! Where does `fletchline` start?

// Server functions are found by being linked: without a name of their crate here the linker would drop them.
use app as _;

fn main() -> std::process::ExitCode {
    server::cli::main()
}
