//! Prints the app's TypeScript; `cargo xtask types` writes it to its place.

fn main() {
    print!("{}", parley_protocol::typescript::types());
}
