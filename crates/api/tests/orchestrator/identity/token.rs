//! The battery of tokens, over real HTTP: what must not open the door, and the few that must.

use aws_lc_rs::hmac;
use jobengine_api::Authenticator;
use serde_json::{Value, json};

use super::door::{Door, claims, header, now_s, with, without};
use super::signer::{Signer, part, unsigned};

/// The seed of the service's own issuer.
const SEED: u8 = 7;

struct Battery {
    door: Door,
    signer: Signer,
    kid: String,
}

impl Battery {
    async fn start() -> Self {
        let door = Door::open().await;
        let kid = Authenticator::kid(&door.service.issuer.public());
        Self {
            door,
            signer: Signer::ed25519(SEED),
            kid,
        }
    }

    fn header(&self) -> Value {
        header(&self.signer, &self.kid)
    }

    async fn accepts(&self, header: &Value, claims: &Value) -> bool {
        self.door.lets_in(&self.signer.sign(header, claims)).await
    }
}

#[tokio::test]
async fn a_good_token_opens_the_door_and_what_we_do_not_know_does_no_harm() {
    let battery = Battery::start().await;
    let now = now_s();
    for (name, value) in [
        ("extra", json!({"deep": [1, 2]})),
        ("aud", json!(["jobengine"])),
        ("nbf", json!(now + 25)),
        ("iat", json!(now + 25)),
        ("exp", json!(now - 25)),
        ("scope", json!("orch:read unknown:scope")),
    ] {
        let mut good = with(claims(), name, value.clone());
        if name == "exp" {
            good["iat"] = json!(now - 60);
        }
        assert!(
            battery.accepts(&battery.header(), &good).await,
            "{name} {value}"
        );
    }
    let good = battery.signer.sign(&battery.header(), &claims());
    for spelling in ["Bearer", "bearer", "BEARER"] {
        let answer = battery.door.show(&format!("{spelling} {good}")).await;
        assert_eq!(answer.status, 200, "{spelling}");
    }
}

#[tokio::test]
async fn headers_cannot_choose_key_algorithm_or_meaning() {
    let battery = Battery::start().await;
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("application/at+jwt")),
        ("typ", json!(["at+jwt"])),
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", json!("PS256")),
        ("alg", json!("RS256")),
        ("alg", json!("eddsa")),
        ("jku", json!("https://evil.example/keys")),
        ("jwk", Signer::ed25519(9).jwk()),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let bad = with(battery.header(), name, value.clone());
        assert!(!battery.accepts(&bad, &claims()).await, "{name} {value}");
    }
    for name in ["typ", "alg", "kid"] {
        let bad = without(battery.header(), name);
        assert!(!battery.accepts(&bad, &claims()).await, "without {name}");
    }
}

#[tokio::test]
async fn names_of_keys_are_names_and_nothing_else() {
    let battery = Battery::start().await;
    for kid in [
        json!(""),
        json!("unknown"),
        json!("../../etc/passwd"),
        json!("/dev/null"),
        json!("' OR '1'='1"),
        json!("x'; DROP TABLE job; --"),
        json!("https://evil.example/key"),
        json!("a\u{0}b"),
        json!(battery.kid.to_uppercase()),
        json!(format!("{} ", battery.kid)),
        json!("k".repeat(65)),
        json!("k".repeat(4_000)),
        json!(7),
        json!(null),
        json!([battery.kid]),
        json!({"kid": battery.kid}),
    ] {
        let bad = with(battery.header(), "kid", kid.clone());
        assert!(!battery.accepts(&bad, &claims()).await, "{kid:.80}");
    }
}

#[tokio::test]
async fn unsigned_tokens_and_shared_secrets_are_refused() {
    let battery = Battery::start().await;
    let good = battery.signer.sign(&battery.header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, body) = signed.split_once('.').unwrap();
    let none = unsigned(&with(battery.header(), "alg", json!("none")), &claims());
    // The classical confusion: the public key as the secret of an HMAC.
    let confused = unsigned(&with(battery.header(), "alg", json!("HS256")), &claims());
    let public = battery.door.service.issuer.public();
    let mut bad = vec![
        none.clone(),
        format!("{none}."),
        format!("{none}.{signature}"),
        format!("{signed}."),
        signed.to_owned(),
        format!("{head}..{signature}"),
        format!(".{body}.{signature}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{signed}.{}", part([0; 64])),
        format!("{signed}.{}", &signature[..signature.len() - 4]),
        format!(
            "{head}.{}.{signature}",
            part(with(claims(), "sub", json!("admin")).to_string())
        ),
        Signer::ed25519(9).sign(&battery.header(), &claims()),
        battery.signer.sign_otherwise(&battery.header(), &claims()),
        "x".repeat(8 * 1024 + 1),
        "a.b.c".to_owned(),
        "..".to_owned(),
        part(claims().to_string()),
    ];
    for secret in [public.as_bytes().to_vec(), public.to_pem().into_bytes()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let mac = hmac::sign(&key, confused.as_bytes());
        bad.push(format!("{confused}.{}", part(mac)));
    }
    for token in bad {
        assert!(!battery.door.lets_in(&token).await, "{token:.60}");
    }
    for header in [
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        &good,
        "Token x",
        &format!("Bearer {good} {good}"),
        &format!("Bearer, {good}"),
        &format!("DPoP {good}"),
    ] {
        let answer = battery.door.show(header).await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED"), "{header:.60}");
    }
    let twice = battery.door.stranger(reqwest::Method::GET, "/jobs");
    let good = format!("Bearer {good}");
    let twice = twice
        .header("authorization", &good)
        .header("authorization", &good);
    assert_eq!(crate::service::send(twice).await.status, 401);
}

#[tokio::test]
async fn claims_are_there_typed_bounded_and_named_once() {
    let battery = Battery::start().await;
    let now = now_s();
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
        let missing = without(claims(), name);
        assert!(
            !battery.accepts(&battery.header(), &missing).await,
            "without {name}"
        );
        for wrong in [json!(null), json!(true), json!({}), json!([[]]), json!(1.5)] {
            let bad = with(claims(), name, wrong.clone());
            assert!(
                !battery.accepts(&battery.header(), &bad).await,
                "{name} {wrong}"
            );
        }
    }
    for (name, value) in [
        ("iss", json!("https://issuer/")),
        ("iss", json!("HTTPS://issuer")),
        ("iss", json!(["https://issuer"])),
        ("aud", json!("jobengine ")),
        ("aud", json!(["jobengine", "other"])),
        ("aud", json!([])),
        ("exp", json!(now - 31)),
        ("exp", json!(now + 3_700)),
        ("exp", json!(now.to_string())),
        ("exp", json!(i64::MAX)),
        ("exp", json!(253_402_300_800_i64)),
        ("iat", json!(now + 60)),
        ("iat", json!(0)),
        ("iat", json!(-now)),
        ("nbf", json!(now + 60)),
        ("nbf", json!(null)),
        ("nbf", json!("now")),
        ("sub", json!("")),
        ("sub", json!("a\u{7}")),
        ("sub", json!("s".repeat(257))),
        ("sub", json!("system")),
        ("sub", json!("service:nightly")),
        ("client_id", json!("")),
        ("jti", json!("")),
        ("tenant", json!("ours")),
        ("tenant", json!([uuid::Uuid::from_u128(0xa)])),
        ("project", json!(null)),
        ("project", json!("p")),
        ("scope", json!(["orch:read"])),
        ("cnf", json!({"jkt": "x"})),
        ("cnf", json!({"x5t#S256": "x"})),
        ("cnf", json!({"jwk": {}})),
        ("cnf", json!(null)),
    ] {
        let bad = with(claims(), name, value.clone());
        assert!(
            !battery.accepts(&battery.header(), &bad).await,
            "{name} {value:.60}"
        );
    }
    // Two readers could take either of the two.
    let text = claims().to_string();
    for twice in [
        text.replacen('{', "{\"sub\":\"admin\",", 1),
        text.replacen('{', "{\"\\u0073ub\":\"admin\",", 1),
        format!("[{text}]"),
        format!("{text}{text}"),
    ] {
        let (head, _) = unsigned(&battery.header(), &claims())
            .split_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let Signer::Ed25519(pair) = &battery.signer else {
            unreachable!()
        };
        let signed = format!("{head}.{}", part(&twice));
        let token = format!("{signed}.{}", part(pair.sign(signed.as_bytes())));
        assert!(!battery.door.lets_in(&token).await, "{twice:.60}");
    }
}
