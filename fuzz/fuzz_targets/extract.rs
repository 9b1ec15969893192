//! Does any input make the extractor write outside its folder, or panic?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| load::fuzz::extractor(bytes));
