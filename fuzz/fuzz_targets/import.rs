//! Does any input make the import of a document panic, or come back as another pipeline?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| model::fuzz::import(bytes));
