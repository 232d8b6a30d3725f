//! The battery of tokens that must be refused, and the few that must not.

use super::*;
use crate::identity::jws::JWS_MAX_BYTES;
use crate::identity::{DevIssuer, TokenRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::caller::Caller;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use serde_json::{Value, json};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const NOW_S: i64 = 1_767_225_600;

fn issuer() -> DevIssuer {
    DevIssuer::from_seed("https://issuer", "jobengine", &[7; 32]).unwrap()
}

fn header() -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": Authenticator::kid(&issuer().public())})
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer", "aud": "jobengine", "exp": NOW_S + 600, "iat": NOW_S,
        "sub": "worker-1", "client_id": "c", "jti": "j", "tenant": Uuid::from_u128(1),
        "scope": "orch:worker other:scope orch:read",
    })
}

/// The base document with some members set.
fn with(mut base: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        base[*name] = value.clone();
    }
    base
}

fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().unwrap().remove(name);
    base
}

fn ask(authenticator: &Authenticator, token: &str, now: Timestamp) -> Result<Caller, Refused> {
    let now = Now {
        wall: now,
        monotonic: std::time::Instant::now(),
    };
    let verify = authenticator.verify(token, Digest::of(token.as_bytes()), now);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let verified = runtime.unwrap().block_on(verify)?;
    Ok(verified.who.principal.clone())
}

fn accepted(header: &Value, claims: &Value) -> bool {
    let issuer = issuer();
    let token = issuer.sign(header, claims);
    ask(&issuer.authenticator(), &token, NOW).is_ok()
}

#[test]
fn a_good_token_makes_its_caller() {
    let issuer = issuer();
    let caller = ask(
        &issuer.authenticator(),
        &issuer.sign(&header(), &claims()),
        NOW,
    )
    .unwrap();
    assert_eq!(caller.tenant, TenantId(Uuid::from_u128(1)));
    assert_eq!(caller.subject, "worker-1");
    assert!(caller.has(Scope::Worker) && caller.has(Scope::Read) && !caller.has(Scope::Admin));
    assert_eq!(caller.scopes.len(), 2);
    assert!(accepted(
        &header(),
        &with(claims(), &[("aud", json!(["jobengine"]))])
    ));
    assert!(accepted(
        &header(),
        &with(claims(), &[("nbf", json!(NOW_S + 29))])
    ));
    assert!(accepted(
        &header(),
        &with(claims(), &[("extra", json!({"a": 1}))])
    ));
}

#[test]
fn headers_that_choose_their_own_rules_are_refused() {
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("AT+JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("kid", json!("another")),
        ("kid", json!("")),
        ("kid", json!(7)),
        ("kid", json!("../../etc/passwd")),
        ("jku", json!("https://evil/keys")),
        ("x5u", json!("https://evil/cert")),
        ("x5c", json!(["MII"])),
        ("jwk", json!({"kty": "OKP"})),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
    ] {
        assert!(
            !accepted(&with(header(), &[(name, value.clone())]), &claims()),
            "{name} {value}"
        );
    }
    for name in ["typ", "alg", "kid"] {
        assert!(
            !accepted(&without(header(), name), &claims()),
            "without {name}"
        );
    }
}

#[test]
fn claims_are_required_typed_and_bounded() {
    for name in [
        "iss",
        "aud",
        "exp",
        "iat",
        "sub",
        "client_id",
        "jti",
        "tenant",
        "scope",
    ] {
        assert!(
            !accepted(&header(), &without(claims(), name)),
            "without {name}"
        );
        assert!(
            !accepted(&header(), &with(claims(), &[(name, json!(null))])),
            "null {name}"
        );
    }
    for (name, value) in [
        ("iss", json!("https://issuer/")),
        ("aud", json!("jobengine2")),
        ("aud", json!(["jobengine", "another"])),
        ("aud", json!([])),
        ("exp", json!("1767226200")),
        ("exp", json!(1_767_226_200.5)),
        ("exp", json!(NOW_S - 31)),
        ("exp", json!(NOW_S + 3_601)),
        ("exp", json!(9_999_999_999_i64)),
        ("iat", json!(NOW_S + 31)),
        ("iat", json!(-1)),
        ("nbf", json!(null)),
        ("nbf", json!("0")),
        ("nbf", json!(NOW_S + 31)),
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(257))),
        ("tenant", json!("not-a-uuid")),
        ("tenant", json!(["0190"])),
        ("project", json!(null)),
        ("scope", json!(["orch:read"])),
        ("sub", json!("system")),
        ("sub", json!("service:ci")),
        ("cnf", json!(null)),
        ("cnf", json!("x")),
        ("cnf", json!({})),
        ("cnf", json!({"x5t#S256": "x"})),
        ("cnf", json!({"jkt": "x", "x5t#S256": "x"})),
        ("cnf", json!({"jkt": 7})),
    ] {
        assert!(
            !accepted(&header(), &with(claims(), &[(name, value.clone())])),
            "{name} {value}"
        );
    }
}

#[test]
fn what_is_not_a_signed_token_is_refused() {
    let issuer = issuer();
    let authenticator = issuer.authenticator();
    let good = issuer.sign(&header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let stranger = DevIssuer::from_seed("https://issuer", "jobengine", &[8; 32]).unwrap();
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let twice = claims().to_string().replacen('{', "{\"sub\":\"admin\",", 1);
    let (head, _) = signed.split_once('.').unwrap();
    for bad in [
        String::new(),
        "x".to_owned(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{good}.x"),
        format!("{good}="),
        format!("{signed}.{}", "A".repeat(signature.len())),
        format!("{head}.{}.{signature}", part(&twice)),
        format!("{}.{}.{signature}", part("[]"), part("{}")),
        stranger.sign(&header(), &claims()),
        good.replacen('.', " .", 1),
        "x".repeat(JWS_MAX_BYTES + 1),
        issuer.sign(
            &header(),
            &with(claims(), &[("pad", json!("x".repeat(JWS_MAX_BYTES)))]),
        ),
        issuer.sign(&header(), &json!(["https://issuer", "jobengine"])),
    ] {
        let refused = ask(&authenticator, &bad, NOW).unwrap_err();
        assert!(matches!(refused, Refused::Token(_)), "{bad:.40}");
    }
    // A key that stands twice is refused even under a good signature.
    let signed = format!("{head}.{}", part(&twice));
    let twice = issuer.sign_text(&signed);
    assert!(ask(&authenticator, &twice, NOW).is_err());
}

#[test]
fn each_issuer_speaks_for_itself_alone() {
    let (one, two) = (
        issuer(),
        DevIssuer::from_seed("https://two", "jobengine", &[8; 32]).unwrap(),
    );
    let source = |issuer: &DevIssuer| KeySource::fixed([issuer.public()]);
    let authenticator = Authenticator::trusting([
        TrustedIssuer::new("https://issuer", "jobengine", source(&one)),
        TrustedIssuer::new("https://two", "another", source(&two))
            .for_tenants([TenantId(Uuid::from_u128(2))]),
    ]);
    let token = |signer: &DevIssuer, iss: &str, aud: &str, tenant: u128| {
        let header = with(
            header(),
            &[("kid", json!(Authenticator::kid(&signer.public())))],
        );
        let changes = [
            ("iss", json!(iss)),
            ("aud", json!(aud)),
            ("tenant", json!(Uuid::from_u128(tenant))),
        ];
        signer.sign(&header, &with(claims(), &changes))
    };
    for (signer, iss, aud, tenant, good) in [
        (&one, "https://issuer", "jobengine", 1, true),
        (&two, "https://two", "another", 2, true),
        (&two, "https://two", "another", 1, false),
        (&two, "https://two", "jobengine", 2, false),
        (&two, "https://issuer", "jobengine", 1, false),
        (&one, "https://two", "another", 2, false),
        (&one, "https://three", "jobengine", 1, false),
    ] {
        let asked = ask(&authenticator, &token(signer, iss, aud, tenant), NOW);
        assert_eq!(asked.is_ok(), good, "{iss} {aud} {tenant}");
    }
}

#[test]
fn a_bound_token_says_to_which_key() {
    let issuer = issuer();
    let bound = with(claims(), &[("cnf", json!({"jkt": "thumb"}))]);
    let token = issuer.sign(&header(), &bound);
    let now = Now {
        wall: NOW,
        monotonic: std::time::Instant::now(),
    };
    let authenticator = issuer.authenticator();
    let verify = authenticator.verify(&token, Digest::of(token.as_bytes()), now);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let verified = runtime.unwrap().block_on(verify).unwrap();
    assert_eq!(verified.bound_to.as_deref(), Some("thumb"));
}

#[test]
fn a_remembered_token_still_ends() {
    let issuer = issuer();
    let authenticator = issuer.authenticator();
    let token = issuer.sign(&header(), &claims());
    for (after_s, good) in [(0, true), (0, true), (629, true), (630, false), (0, true)] {
        assert_eq!(
            ask(&authenticator, &token, NOW.plus_ms(after_s * 1_000)).is_ok(),
            good
        );
    }
}

#[test]
fn minted_tokens_are_good_for_their_time() {
    let issuer = issuer();
    let mut request = TokenRequest {
        subject: "s".into(),
        tenant: TenantId(Uuid::from_u128(2)),
        project: None,
        scopes: vec![Scope::Submit, Scope::SchedulerRead],
        ttl_s: 60,
    };
    let token = issuer.mint(&request).unwrap();
    let caller = ask(&issuer.authenticator(), &token, crate::clock::wall()).unwrap();
    assert!(caller.has(Scope::Submit) && caller.has(Scope::SchedulerRead));
    for ttl_s in [0, 3_601] {
        request.ttl_s = ttl_s;
        assert!(issuer.mint(&request).is_err());
    }
}
