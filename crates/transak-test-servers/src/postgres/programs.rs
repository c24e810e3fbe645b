//! Finding Postgres' programs, and the user to run them as.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const BIN_VARIABLE: &str = "TRANSAK_TEST_POSTGRES_BIN";
const INSTALLED: &str = "/usr/lib/postgresql";

#[derive(Debug)]
pub(super) struct Programs {
    directories: Vec<PathBuf>,
    /// User and group, if this process is root's.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// Looks into the directory that the variable names, else in `PATH`, else in Debian's, the newest version first.
    pub(super) fn find() -> Self {
        let mut directories: Vec<PathBuf> = match std::env::var_os(BIN_VARIABLE).filter(|named| !named.is_empty()) {
            Some(named) => vec![named.into()],
            None => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                std::env::split_paths(&path).chain(versions()).collect()
            }
        };
        // Beside the server, not beside a link to it, are its own files and the clients of its version.
        let server = find("postgres", &directories).and_then(|program| program.canonicalize().ok());
        if let Some(beside) = server.as_deref().and_then(Path::parent) {
            directories.insert(0, beside.to_owned());
        }
        Self {
            directories,
            user: rustix::process::geteuid().is_root().then(postgres_user),
        }
    }

    /// A command that runs in `home`, as a user that Postgres accepts.
    pub(super) fn command(&self, name: &str, home: &Path) -> Command {
        let program = find(name, &self.directories).unwrap_or_else(|| {
            panic!(
                "these tests need Postgres' {name}: `apt-get install postgresql`, or let {BIN_VARIABLE} name the \
                 directory of its programs, or {} a server that runs",
                super::URL_VARIABLE
            )
        });
        let mut command = Command::new(program);
        command.current_dir(home).env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes that user the owner of a directory.
    pub(super) fn give(&self, directory: &Path) {
        if let Some((user, group)) = self.user {
            let given = std::os::unix::fs::chown(directory, Some(user), Some(group));
            given.unwrap_or_else(|e| panic!("cannot give {} to postgres: {e}", directory.display()));
        }
    }
}

fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let mut found = directories.iter().map(|directory| directory.join(name));
    found.find(|program| program.is_file())
}

fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

/// User and group of `postgres`, of whatever directory service the system has.
fn postgres_user() -> (u32, u32) {
    let number = |option| -> Option<u32> {
        let asked = Command::new("id").args([option, "postgres"]).output().ok()?;
        String::from_utf8_lossy(&asked.stdout).trim().parse().ok()
    };
    match (number("-u"), number("-g")) {
        (Some(user), Some(group)) => (user, group),
        _ => panic!(
            "Postgres does not run as root and there is no user postgres: `apt-get install postgresql` makes one, or run \
             these tests as another user"
        ),
    }
}
