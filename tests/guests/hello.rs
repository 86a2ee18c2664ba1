// Prints a line: what a Rust program needs at the least.
fn main() {
    println!("hello");
}
