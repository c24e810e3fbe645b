//! Finding a server's program.

use std::path::PathBuf;

/// Finds a program: what `variable` names, else `name` in `PATH`, else in `places`.
///
/// # Panics
///
/// If there is none, with the Debian `package` to install.
#[must_use]
pub fn program(name: &str, variable: &str, places: &[&str], package: &str) -> PathBuf {
    if let Some(named) = std::env::var_os(variable).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        assert!(
            named.is_file(),
            "{variable} names {}, which is no file",
            named.display()
        );
        return named;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(places.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!("these tests need {name}: `apt-get install {package}`, or let {variable} name the program")
    })
}
