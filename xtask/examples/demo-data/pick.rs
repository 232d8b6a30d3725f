//! Which images the demo shows, and why each.

/// An image of `sboms/fleet.jsonl.zst`.
pub(super) struct FleetPick {
    /// The repository, as the fleet names it.
    pub(super) image: &'static str,
    /// The SBOM tool; one image was often read by two.
    pub(super) tool: &'static str,
}

/// A program of `sboms/component-history.jsonl.zst`, as it stood at one commit.
pub(super) struct LockFilePick {
    /// As the history names it.
    pub(super) image: &'static str,
    /// The commit its lock file was read at.
    pub(super) commit: &'static str,
}

const fn syft(image: &'static str) -> FleetPick {
    FleetPick {
        image,
        tool: "syft",
    }
}

const fn trivy(image: &'static str) -> FleetPick {
    FleetPick {
        image,
        tool: "trivy",
    }
}

/// Images of the fleet, by what the change between the two snapshots does to them.
pub(super) const FLEET: &[FleetPick] = &[
    // Lose a finding: a withdrawn record (flask-caching) or a narrowed range (yaml.v3, pillow).
    trivy("docker.io/astronomerinc/ap-airflow"),
    trivy("docker.io/bitnami/airflow-scheduler"),
    trivy("docker.io/continuumio/anaconda"),
    syft("docker.io/mirantis/ucp-calico-cni"),
    // Gain findings; fluentd and kong a known exploited one (CVE-2023-0266), pytorch critical ones.
    syft("docker.io/bitnami/azure-cli"),
    syft("docker.io/bitnami/fluentd"),
    syft("docker.io/bitnami/kafka"),
    syft("docker.io/bitnami/kong"),
    syft("docker.io/bitnami/nginx"),
    syft("docker.io/bitnami/pytorch"),
    syft("docker.io/formio/formio-enterprise"),
    syft("docker.io/hashicorp/vault-csi-provider"),
    syft("docker.io/puppet/continuous-delivery-for-puppet-enterprise"),
    syft("docker.io/rancher/webhook-receiver"),
    // Is looked at for nothing: a changed record speaks of its handlebars in a way nobody can order.
    syft("docker.io/bitnami/minideb-extras"),
    // Has a package that a changed record names, but not in a version it is about.
    syft("docker.io/ibmcom/secure-gateway-client"),
    // Have findings or none, and nothing of theirs changes.
    syft("docker.io/amazon/aws-sam-cli-emulation-image-nodejs14.x"),
    syft("docker.io/balena/aarch64-supervisor"),
    trivy("docker.io/balena/open-balena-base"),
    syft("docker.io/balenalib/amd64-ubuntu-node"),
    syft("docker.io/bitnami/kafka-trigger-controller"),
    syft("docker.io/bitnami/kubeless-controller-manager"),
    trivy("docker.io/circleci/jruby"),
    syft("docker.io/circleci/mongo"),
    syft("docker.io/circleci/rabbitmq"),
    trivy("docker.io/ibmcom/voice-gateway-so"),
    syft("docker.io/rancher/coreos-prometheus-config-reloader"),
    syft("docker.io/rancher/flannel-cni"),
    syft("docker.io/rancher/fluentd"),
    syft("docker.io/rancher/k8s-dns-sidecar"),
    syft("docker.io/snyk/broker"),
];

/// Programs in Rust; the fleet's images hardly show any crate.
pub(super) const LOCK_FILES: &[LockFilePick] = &[
    LockFilePick {
        image: "cr.l5d.io/linkerd/proxy",
        commit: "69f9af170a1763af4b0ff60ab5bfd9acdd065714",
    },
    LockFilePick {
        image: "docker.io/getmeili/meilisearch",
        commit: "99253094929745037ca63dcce73e3fafdf731e8f",
    },
];
