//! Where this installation's webhooks may go.

use std::path::PathBuf;

use anyhow::Context as _;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::network::Network;
use jobengine_duties::egress::Authorities;

/// What is opened beyond https to public addresses on the ports 443 and 8443.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct EgressArgs {
    /// Let webhooks use plain http (ports 80 and 8080) too: for laboratories without certificates
    #[arg(long = "webhook-http")]
    http: bool,
    /// Let webhooks reach this private network, such as 10.0.0.0/8; several times for several
    #[arg(long = "webhook-network", value_name = "CIDR")]
    networks: Vec<Network>,
    /// Let webhooks use this port too; several times for several
    #[arg(long = "webhook-port", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    ports: Vec<u16>,
    /// Trust the certificate authorities of this PEM file too, for webhooks alone; several times for several
    #[arg(long = "webhook-ca-file", value_name = "PATH")]
    ca_files: Vec<PathBuf>,
}

impl EgressArgs {
    /// The policy they make.
    ///
    /// # Errors
    /// For a network that nobody may open, such as loopback or the metadata service of a cloud.
    pub(crate) fn policy(&self) -> anyhow::Result<EgressPolicy> {
        let mut policy = EgressPolicy::default();
        if self.http {
            policy = policy.with_http();
        }
        for port in &self.ports {
            policy = policy.with_port(*port);
        }
        for network in &self.networks {
            policy = policy
                .with_network(*network)
                .map_err(|error| anyhow::anyhow!("--webhook-network {network}: {error}"))?;
        }
        Ok(policy)
    }

    /// The authorities that are trusted beside the system's.
    ///
    /// # Errors
    /// When a file cannot be read, or holds anything but good certificates.
    pub(crate) fn authorities(&self) -> anyhow::Result<Authorities> {
        let mut authorities = Authorities::default();
        for path in &self.ca_files {
            let mut add = || anyhow::Ok(authorities.add_pem(&std::fs::read(path)?)?);
            add().with_context(|| format!("--webhook-ca-file {}", path.display()))?;
        }
        Ok(authorities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_opens_its_networks_and_nobody_loopback() {
        let policy = |network: &str| {
            let args = EgressArgs {
                networks: vec![network.parse().unwrap()],
                ..EgressArgs::default()
            };
            args.policy()
        };
        let address = "10.1.2.3".parse().unwrap();
        assert!(policy("10.0.0.0/8").unwrap().admit(&[address]).is_ok());
        let error = policy("127.0.0.0/8").unwrap_err().to_string();
        assert!(
            error.starts_with("--webhook-network 127.0.0.0/8: "),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let args = EgressArgs {
            ca_files: vec![file.path().to_owned()],
            ..EgressArgs::default()
        };
        let error = format!("{:#}", args.authorities().unwrap_err());
        assert!(error.starts_with("--webhook-ca-file /"), "{error}");
        assert!(error.ends_with("it holds no certificate"), "{error}");
    }
}
