//! Keys and secrets in files: made on first use, readable by their owner alone.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::{PublicKey, SigningKey};
use jobengine_store::secret::InstallationSecret;

/// The DER header of an Ed25519 `PrivateKeyInfo` with its 32 bytes (RFC 8410 section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The key that signs completion events.
pub(crate) const COMPLETION: &str = "completion";
/// The key that signs checkpoints of the audit trail.
pub(crate) const AUDIT: &str = "audit";
/// The key that signs tokens of the built-in issuer.
pub(crate) const ISSUER: &str = "issuer";

/// The 32 secret bytes of a key.
pub(crate) struct Seed([u8; 32]);

impl Seed {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.0).expect("a seed has 32 bytes")
    }
}

/// Reads the key `NAME.key.pem` in `dir`, or makes it, with its public half `NAME.pub.pem` beside
/// it. Both are PEM as OpenSSL reads and writes it.
pub(crate) fn open_or_create(dir: &Path, name: &str) -> anyhow::Result<Seed> {
    match open(dir, name)? {
        Some(seed) => Ok(seed),
        None => create(dir, name, &private_path(dir, name)),
    }
}

/// The key of this name, if there is one.
///
/// # Errors
/// When it cannot be read, or others can read it.
pub(crate) fn open(dir: &Path, name: &str) -> anyhow::Result<Option<Seed>> {
    let path = private_path(dir, name);
    match fs::read_to_string(&path) {
        Ok(text) => read(&path, &text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the key {}", path.display())),
    }
}

fn private_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.key.pem"))
}

/// Writes a secret for its owner's eyes alone; whoever reads meanwhile sees the old or the new one.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let draft = draft(path, text)?;
    fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Where the public half of a key is.
pub(crate) fn public_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.pub.pem"))
}

/// Reads a public key in PEM.
pub(crate) fn public(path: &Path) -> anyhow::Result<PublicKey> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the key {}", path.display()))?;
    PublicKey::from_pem(&text)
        .with_context(|| format!("{} is not an Ed25519 public key in PEM", path.display()))
}

/// Reads the secret of an installation, 64 hex digits, or makes it where `make` allows that.
pub(crate) fn secret(path: &Path, make: bool) -> anyhow::Result<InstallationSecret> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if make && error.kind() == ErrorKind::NotFound => {
            let text = format!("{}\n", Digest::from_bytes(random()?).hex());
            if !write_once(path, &text)? {
                return secret(path, false);
            }
            text
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the secret {}", path.display()));
        }
    };
    guarded(path)?;
    let digits = format!("sha256:{}", text.trim());
    let bytes: Digest = digits.parse().ok().with_context(|| {
        format!(
            "{} does not hold 64 lower-case hex digits; `openssl rand -hex 32` makes some",
            path.display()
        )
    })?;
    Ok(InstallationSecret::from_bytes(bytes.as_bytes()))
}

/// Refuses a file that others may read.
fn guarded(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "the key {} may be read by others (mode {mode:o}): run `chmod 600` on it, and make a new key if anybody did",
            path.display()
        );
    }
    Ok(())
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .ok()
        .context("the system gives no random bytes")?;
    Ok(bytes)
}

/// Writes what is to stand at `path` beside it, for its owner's eyes alone.
fn draft(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(draft)
}

/// Writes a new file for its owner's eyes alone; no start ever finds half of it. `false`: another process
/// made it first, and that one counts.
fn write_once(path: &Path, text: &str) -> anyhow::Result<bool> {
    let draft = draft(path, text)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            Err(error).with_context(|| format!("cannot write the key {}", path.display()))
        }
    }
}

fn read(path: &Path, text: &str) -> anyhow::Result<Seed> {
    guarded(path)?;
    let body = text
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END));
    let der = body.and_then(|body| {
        STANDARD
            .decode(body.split_whitespace().collect::<String>())
            .ok()
    });
    let seed = der
        .as_deref()
        .and_then(|der| der.strip_prefix(&PKCS8))
        .and_then(|seed| seed.try_into().ok());
    seed.map(Seed)
        .with_context(|| format!("{} is not an Ed25519 private key in PEM", path.display()))
}

fn create(dir: &Path, name: &str, path: &Path) -> anyhow::Result<Seed> {
    let seed = Seed(random()?);
    let text = format!(
        "{BEGIN}\n{}\n{END}\n",
        STANDARD.encode([&PKCS8[..], &seed.0[..]].concat())
    );
    if !write_once(path, &text)? {
        return read(path, &fs::read_to_string(path)?);
    }
    fs::write(public_path(dir, name), seed.signing_key().public().to_pem())?;
    fs::File::open(dir)?.sync_all()?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_guarded() {
        let dir = tempfile::tempdir().unwrap();
        let first = open_or_create(dir.path(), "completion").unwrap();
        let again = open_or_create(dir.path(), "completion").unwrap();
        assert_eq!(first.bytes(), again.bytes());
        let path = dir.path().join("completion.key.pem");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            public(&dir.path().join("completion.pub.pem")).unwrap(),
            first.signing_key().public()
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = open_or_create(dir.path(), "completion").err().unwrap();
        assert!(
            error.to_string().contains("may be read by others"),
            "{error}"
        );
    }
}
