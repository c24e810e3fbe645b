//! A port for a server.

use std::net::{Ipv4Addr, TcpListener};

/// A TCP port of the loopback address that nobody listens on. Somebody else may take it before it is used: a server that
/// cannot listen ends, and its starter tries another one.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    match bound {
        Ok(address) => address.port(),
        Err(e) => panic!("no free port on the loopback address: {e}"),
    }
}
