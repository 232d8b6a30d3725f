//! Where this installation's webhooks may go.

use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::network::Network;

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
}
