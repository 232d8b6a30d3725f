//! The pages that explain problems, built into the binary: they are served where the `type` of a
//! problem leads.

/// Names the pages of the folder once, with their text.
macro_rules! pages {
    ($($name:literal),+ $(,)?) => {
        const PAGES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../../docs/problems/", $name, ".md")))),+
        ];
    };
}

pages![
    "advisory-field-invalid",
    "advisory-id-missing",
    "advisory-range-missing",
    "body-too-large",
    "bulk-too-large",
    "compression-bomb",
    "compression-invalid",
    "compression-truncated",
    "conflict",
    "dag-invalid",
    "database-unavailable",
    "dead-letter-decided",
    "delivery-pending",
    "document-json-invalid",
    "document-nul",
    "document-too-deep",
    "document-too-large",
    "document-truncated",
    "document-utf8-invalid",
    "dpop-nonce-required",
    "event-cursor-expired",
    "header-invalid",
    "idempotency-in-progress",
    "idempotency-key-invalid",
    "idempotency-key-missing",
    "idempotency-key-reused",
    "image-digest-missing",
    "installation-only",
    "internal",
    "json-malformed",
    "kev-invalid",
    "keys-unavailable",
    "lease-lost",
    "media-type-unsupported",
    "method-not-allowed",
    "name-taken",
    "not-found",
    "origin-refused",
    "overloaded",
    "pack-run-unscoped",
    "page-token-invalid",
    "parameter-invalid",
    "plan-changed",
    "precondition-failed",
    "precondition-required",
    "project-in-use",
    "project-mismatch",
    "purl-invalid",
    "rate-limited",
    "reason-required",
    "report-conflict",
    "request-invalid",
    "request-timeout",
    "sbom-field-invalid",
    "sbom-format-unknown",
    "sbom-version-unsupported",
    "scope-missing",
    "session-taken",
    "source-disabled",
    "source-in-use",
    "source-paused",
    "stream-limit-reached",
    "tenant-mismatch",
    "tenant-suspended",
    "ticket-required",
    "unauthenticated",
    "url-too-long",
    "vex-invalid",
    "webhook-limit",
    "webhook-paused",
    "webhook-url-denied",
];

/// A page by its name, in Markdown.
pub(crate) fn page(name: &str) -> Option<&'static str> {
    let page = PAGES.iter().find(|(page, _)| *page == name);
    page.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jobengine_impact::document::DocumentCode;

    use super::*;
    use crate::problem::Code;

    /// What only the offline commands say: they read files, the service does not.
    const OFFLINE: [DocumentCode; 2] = [DocumentCode::Unreadable, DocumentCode::SeverityInvalid];

    fn codes() -> impl Iterator<Item = Code> {
        let documents = DocumentCode::ALL.iter().copied();
        let online = documents.filter(|code| !OFFLINE.contains(code));
        Code::OWN.iter().copied().chain(online.map(Code::Document))
    }

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
            .filter(|name| name != "README")
            .collect();
        let named: BTreeSet<String> = codes().map(Code::page).collect();
        assert_eq!(named, files);
        let built_in: BTreeSet<String> = PAGES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(named, built_in);
    }

    #[test]
    fn a_page_says_its_code_and_status() {
        for code in codes() {
            let text = page(&code.page()).unwrap();
            assert!(
                text.starts_with(&format!("# {}\n", code.as_str())),
                "{text}"
            );
            assert!(text.contains(&format!("`{}`", code.status())), "{text}");
        }
    }
}
