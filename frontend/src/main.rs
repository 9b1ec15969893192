//! Where does the browser start?

use app as _;

fn main() {
    console_error_panic_hook::set_once();
}
