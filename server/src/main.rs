//! Where does `fletchline` start?

// Server functions are found by being linked: without a name of their crate here the linker would drop them.
use app as _;

/// A run is many small texts that come and go: the C library's allocator takes a fifth of the server's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    server::cli::main()
}
