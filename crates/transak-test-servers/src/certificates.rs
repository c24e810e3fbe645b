//! Certificates for servers on this machine, by an authority that nobody else knows.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// Files with an authority's certificate, a server's for `127.0.0.1`, and a client's; all PEM.
#[derive(Debug)]
pub struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Panics
    ///
    /// If there is no room for them.
    #[must_use]
    pub fn make() -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary directory: {e}"));
        let made = Self { directory };
        made.fill().unwrap_or_else(|e| panic!("no certificates: {e}"));
        made
    }

    fn fill(&self) -> Result<(), Box<dyn std::error::Error>> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(self.directory.path(), fs::Permissions::from_mode(0o755))?;
        }
        let mut authority = CertificateParams::new(Vec::new())?;
        authority
            .distinguished_name
            .push(DnType::CommonName, "authority of a test");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        fs::write(self.path("ca.pem"), authority.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(authority, key);
        for (name, usage, subject) in [
            ("server", ExtendedKeyUsagePurpose::ServerAuth, "127.0.0.1"),
            ("client", ExtendedKeyUsagePurpose::ClientAuth, "wallet"),
        ] {
            let mut params = CertificateParams::new(vec![subject.to_owned()])?;
            // One that is named as its issuer counts as self-signed.
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = vec![usage];
            let key = KeyPair::generate()?;
            fs::write(
                self.path(&format!("{name}.pem")),
                params.signed_by(&key, &issuer)?.pem(),
            )?;
            let file = self.path(&format!("{name}.key"));
            fs::write(&file, key.serialize_pem())?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(())
    }

    /// A file: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What is in it.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[must_use]
    pub fn read(&self, name: &str) -> Vec<u8> {
        read(&self.path(name))
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
