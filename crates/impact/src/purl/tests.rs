use super::{Purl, SourcePackage, identify};
use crate::sbom::Unmatched;

/// `wanted` is the package and its version (`npm/@babel/core 7.0.0`), or why there is none.
fn check(purl: &str, wanted: &str) {
    check_stated(purl, None, wanted);
}

/// The same for a component whose document states a source package; `?` behind one that is assumed.
fn check_stated(purl: &str, stated: Option<(&str, Option<&str>)>, wanted: &str) {
    let stated = stated.and_then(|(name, version)| SourcePackage::new(name, version));
    let answer = match identify(purl, stated.as_ref()) {
        Ok(found) => {
            let mark = if found.source_assumed { "?" } else { "" };
            format!("{} {}{mark}", found.package.key, found.package.version)
        }
        Err(Unmatched::PurlInvalid(why)) => format!("invalid: {why}"),
        Err(Unmatched::EcosystemUnsupported(what)) => format!("unsupported: {what}"),
        Err(other) => format!("{other:?}"),
    };
    assert_eq!(answer, wanted, "{purl}");
}

#[test]
fn names_take_their_ecosystem_s_form() {
    check("pkg:npm/%40angular/core@12.3.1", "npm/@angular/core 12.3.1");
    check("pkg:npm/@babel/core@7.0.0", "npm/@babel/core 7.0.0");
    check("pkg:npm/DataTables@1.10.4", "npm/DataTables 1.10.4");
    check("pkg:PyPI/Zope._.Interface@5.0", "PyPI/zope-interface 5.0");
    check("pkg:cargo/rand_core@0.6.4", "crates.io/rand_core 0.6.4");
    check(
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
        "Maven/org.apache.logging.log4j:log4j-core 2.14.1",
    );
    check(
        "pkg:golang/github.com/Masterminds/sprig@v2.22.0%2Bincompatible",
        "Go/github.com/Masterminds/sprig v2.22.0+incompatible",
    );
    check("pkg:golang/stdlib@1.19", "Go/stdlib 1.19");
    check(
        "pkg:golang/go.etcd.io/etcd/api@v3.5.9?package-id=1#v3",
        "Go/go.etcd.io/etcd/api/v3 v3.5.9",
    );
}

#[test]
fn debian_speaks_of_source_packages() {
    let binary = "pkg:deb/debian/openssl@1.1.1k-1+deb11u1?arch=amd64&distro=debian-11.6";
    check(binary, "Debian:11/openssl 1.1.1k-1+deb11u1?");
    check(
        "pkg:deb/debian/libssl1.1@1.1.1k-1?upstream=openssl&distro=debian-11",
        "Debian:11/openssl 1.1.1k-1",
    );
    check(
        "pkg:deb/debian/bsdutils@1:2.36.1-8+b1?upstream=util-linux%402.36.1-8&distro=debian-10.13",
        "Debian:10/util-linux 2.36.1-8",
    );
    check(
        "pkg:deb/debian/curl@7.50.3-1?distro=jessie",
        "Debian:8/curl 7.50.3-1?",
    );
    for distro in ["debian-sid", "debian", "ubuntu-22.04", "debian-12x", ""] {
        let purl = format!("pkg:deb/debian/curl@7.50.3-1?upstream=curl&distro={distro}");
        check(&purl, "DebianReleaseUnknown");
    }
    check("pkg:deb/debian/curl?distro=debian-11", "VersionMissing");
    check(
        "pkg:deb/ubuntu/curl@7.81.0-1?distro=ubuntu-22.04",
        "unsupported: deb/ubuntu",
    );
}

#[test]
fn a_stated_source_package_counts_unless_the_purl_states_one() {
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bb1?distro=debian-12.5";
    let full = Some(("expat", Some("2.5.0-1")));
    check_stated(purl, full, "Debian:12/expat 2.5.0-1");
    check_stated(purl, Some(("expat", None)), "Debian:12/expat 2.5.0-1+b1");
    check_stated(
        purl,
        Some(("expat", Some("a b"))),
        "Debian:12/expat 2.5.0-1+b1",
    );
    check_stated(
        purl,
        Some(("a b", Some("1"))),
        "Debian:12/libexpat1 2.5.0-1+b1?",
    );
    let upstream = format!("{purl}&upstream=other%401:3");
    check_stated(&upstream, full, "Debian:12/other 1:3");
    let odd = format!("{purl}&upstream=a%0Ab");
    check_stated(&odd, full, "Debian:12/expat 2.5.0-1");
    let bare = "pkg:deb/debian/libexpat1?distro=debian-12";
    check_stated(bare, full, "Debian:12/expat 2.5.0-1");
    check_stated(bare, Some(("expat", None)), "VersionMissing");
    let ubuntu = "pkg:deb/ubuntu/libexpat1@1?distro=debian-12";
    check_stated(ubuntu, full, "unsupported: deb/ubuntu");
    check_stated("pkg:npm/a@1", full, "npm/a 1");
}

#[test]
fn an_epoch_may_stand_in_a_qualifier() {
    let check = |version: &str, epoch: &str, wanted: &str| {
        let purl = format!("pkg:deb/debian/a@{version}?distro=debian-12&epoch={epoch}");
        check(&purl, &format!("Debian:12/a {wanted}?"));
    };
    check("2.5", "1", "1:2.5");
    check("2.5", "0", "2.5");
    check("1:2.5", "1", "1:2.5");
    check("2.5", "one", "2.5");
}

#[test]
fn what_is_not_judged_says_why() {
    check("pkg:rpm/redhat/openssl@1.1.1k", "unsupported: rpm");
    check("pkg:none/foo@1", "unsupported: none");
    check(
        "pkg:dotnet-core/Microsoft.NETCore.App@3.1",
        "unsupported: dotnet-core",
    );
    check("pkg:deb/openssl@1", "unsupported: deb");
    check("pkg:npm/left-pad", "VersionMissing");
    check("pkg:npm/left-pad@", "VersionMissing");
    check("pkg:maven/charsets@1", "invalid: the group is missing");
    check("pkg:pypi/a/b@1", "invalid: this type has no namespaces");
}

#[test]
fn real_oddities_are_read() {
    check(
        "pkg:golang/github.com/kiali/kiali@(devel)",
        "Go/github.com/kiali/kiali (devel)",
    );
    check("pkg:npm/a@1.0.0+x y/z:1", "npm/a 1.0.0+x y/z:1");
    check(
        "pkg:npm/a@git+ssh://git@host/b.git",
        "npm/a git+ssh://git@host/b.git",
    );
    check("pkg://npm//a@1", "npm/a 1");
    check("pkg:npm/a@1?download_url=https://host/a?b=c", "npm/a 1");
}

#[test]
fn broken_purls_say_where() {
    check(
        "https://host/a",
        "invalid: byte 0: it does not begin with `pkg:`",
    );
    check("", "invalid: byte 0: it does not begin with `pkg:`");
    check("pkg:npm", "invalid: byte 4: the name is missing");
    check("pkg:npm/", "invalid: byte 8: the name is missing");
    check("pkg:maven/@1.3.4", "invalid: byte 10: the name is missing");
    check(
        "pkg:golang/@%28devel%29",
        "invalid: byte 11: the name is missing",
    );
    check(
        "pkg:3d/a@1",
        "invalid: byte 4: the type is not a word of letters, digits, `.`, `-` and `+`",
    );
    check(
        "pkg:npm/a@1%2",
        "invalid: byte 11: a percent escape is broken",
    );
    check(
        "pkg:npm/a%zz@1",
        "invalid: byte 9: a percent escape is broken",
    );
    check(
        "pkg:npm/a@%ff",
        "invalid: byte 10: the percent escapes are not UTF-8",
    );
    check(
        "pkg:npm/a%2Fb/c@1",
        "invalid: byte 8: a segment holds an encoded `/`",
    );
    check(
        "pkg:npm/a@1?k=1&K=2",
        "invalid: byte 16: a qualifier is given twice",
    );
}

#[test]
fn the_canonical_spelling_is_read_back() {
    for (text, canonical) in [
        (
            "PKG://Deb/debian//curl@1:7.5-1+b1?Distro=debian-11&arch=#/a/./b/",
            "pkg:deb/debian/curl@1:7.5-1%2Bb1?distro=debian-11#a/b",
        ),
        ("pkg:npm/@a/b@1 2", "pkg:npm/%40a/b@1%202"),
    ] {
        let purl = Purl::parse(text).expect("a purl");
        assert_eq!(purl.to_string(), canonical);
        assert_eq!(Purl::parse(canonical).as_ref(), Ok(&purl));
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(pkg:)?[a-z@/%2Ff?&=#:. é]{0,40}") {
        if let Ok(purl) = Purl::parse(&text) {
            proptest::prop_assert_eq!(Purl::parse(&purl.to_string()), Ok(purl));
        }
    }
}
