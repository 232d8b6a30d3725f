//! Certificate authorities of a site's own, trusted beside those of the system.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Authorities that an installation trusts for what it sends outside.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// Why a text names no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// It is not PEM.
    #[error("it is not PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// There is no certificate in it.
    #[error("it holds no certificate")]
    Empty,
    /// A certificate in it is none that could be trusted.
    #[error("one of its certificates cannot be read")]
    Certificate(#[source] rustls::Error),
}

impl Authorities {
    /// Adds the certificates of a PEM text: at least one, and every one of them good.
    ///
    /// # Errors
    /// [`AuthoritiesError`]; then none of them is added.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<(), AuthoritiesError> {
        let found = CertificateDer::pem_slice_iter(text);
        let found: Vec<_> = found
            .collect::<Result<_, _>>()
            .map_err(AuthoritiesError::Pem)?;
        if found.is_empty() {
            return Err(AuthoritiesError::Empty);
        }
        let mut tried = RootCertStore::empty();
        for certificate in &found {
            tried
                .add(certificate.clone())
                .map_err(AuthoritiesError::Certificate)?;
        }
        self.0.extend(found);
        Ok(())
    }

    /// As a store that more can be added to.
    pub(super) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.0.iter().cloned());
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_good_certificates_is_refused() {
        let mut authorities = Authorities::default();
        let mut add = |text: &str| authorities.add_pem(text.as_bytes()).unwrap_err();
        assert!(matches!(add(""), AuthoritiesError::Empty));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA";
        assert!(matches!(add(cut), AuthoritiesError::Pem(_)));
        let none = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(add(none), AuthoritiesError::Certificate(_)));
        assert!(authorities.0.is_empty());
    }
}
