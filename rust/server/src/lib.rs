//! What porta-server takes from Rust. The C side is `include/porta_server.h`.
mod bounds;
mod schema;
mod seal;
