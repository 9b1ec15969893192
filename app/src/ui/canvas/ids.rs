//! Where do new ids come from?

/// 32 letters and digits that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Ten letters, 50 bits: safe as a folder's and a host's name.
pub fn new() -> String {
    let mut bytes = [0u8; 10];
    let crypto = web_sys::window().and_then(|window| window.crypto().ok());
    let filled = crypto.is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if !filled {
        bytes.fill_with(|| (js_sys::Math::random() * 256.0) as u8);
    }
    // An id begins with a letter, so that it can be the first part of a host name everywhere.
    let first = LETTERS[usize::from(bytes[0] % 23)];
    let rest = bytes[1..].iter().map(|byte| LETTERS[usize::from(byte % 32)]);
    std::iter::once(first).chain(rest).map(char::from).collect()
}
