//! Heads, bodies and encodings that two readers could understand differently, or that cost too much.

use std::io::Write as _;

use crate::raw::{assert_well, request, resident_bytes, say, status, token};
use crate::service::Service;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_head_that_is_too_much_or_not_http_is_refused() {
    let service = Service::start().await;
    let long = "x".repeat(20 * 1024);
    let many: Vec<String> = (0..150).map(|n| format!("X-{n}: y\r\n")).collect();
    let many = many.concat();
    let cases: [(String, u16); 12] = [
        (
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"),
            431,
        ),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
            431,
        ),
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                &long[..5_000]
            ),
            414,
        ),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 431),
        (
            "GET /healthz HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n".into(),
            400,
        ),
        (
            "GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n".into(),
            400,
        ),
        ("GET /heal\0thz HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400),
        (
            "GET /healthz HTTP/1.1\r\nHost: x\r\n folded: yes\r\n\r\n".into(),
            400,
        ),
        ("GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n".into(), 400),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".into(), 400),
        // HTTP/2 is not spoken: the connection ends.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 0),
        ("GET /healthz\r\n\r\n".into(), 400),
    ];
    for (head, expected) in cases {
        let answer = say(&service, head.as_bytes()).await;
        let shown: String = head.chars().take(60).collect();
        assert_eq!(status(&answer), expected, "{shown:?}: {answer}");
    }
    assert_well(&service).await;
}

#[tokio::test]
async fn where_a_body_ends_cannot_be_read_in_two_ways() {
    let service = Service::start().await;
    let post = "POST /api/v1/orchestrator/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    for (rest, least, most) in [
        (
            "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            400,
            400,
        ),
        ("Content-Length: -1\r\n\r\n", 400, 400),
        ("Content-Length: 1e3\r\n\r\n", 400, 400),
        ("Content-Length: 99999999999999999999\r\n\r\n", 400, 413),
        ("Transfer-Encoding: gzip\r\n\r\nabcd", 400, 400),
        (
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            400,
            400,
        ),
    ] {
        let answer = say(&service, format!("{post}{rest}").as_bytes()).await;
        assert!(
            (least..=most).contains(&status(&answer)),
            "{rest:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{rest:?}: {answer}");
    }
    // Chunks win over a length, and what follows them is no second request.
    let token = token(&service);
    let both = format!(
        "{post}Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    );
    let answer = say(&service, both.as_bytes()).await;
    assert_eq!(status(&answer), 400, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    // Chunks that are none.
    for chunks in [
        "x\r\n",
        "ffffffffffffffffff\r\n",
        "3\r\nabcdef\r\n",
        "-1\r\n\r\n",
    ] {
        let head = format!(
            "{post}Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n{chunks}"
        );
        let answer = say(&service, head.as_bytes()).await;
        let refused = (400..500).contains(&status(&answer));
        assert!(refused || answer.is_empty(), "{chunks:?}: {answer}");
    }
    assert_well(&service).await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let service = Service::start().await;
    let row = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n\
               GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answers = say(&service, row.as_bytes()).await;
    let statuses: Vec<&str> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses, ["200", "404", "200"]);
}

#[tokio::test]
async fn json_that_is_too_much_or_ambiguous_is_refused() {
    let service = Service::start().await;
    let token = token(&service);
    let job = |payload: &str| format!(r#"{{"jobs":[{{"type":"t","payload":{payload}}}]}}"#);
    let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let items = format!("[{}1]", "1,".repeat(10_000));
    let mut bad_utf8 = job("\"?\"").into_bytes();
    let at = bad_utf8.iter().position(|byte| *byte == b'?').unwrap();
    bad_utf8[at] = 0xff;
    let cases: [(Vec<u8>, u16); 9] = [
        (job("1").into(), 201),
        (job(&deep(100_000)).into(), 400),
        (job(r#"{"a":1,"a":2}"#).into(), 400),
        (job(r#""a\u0000""#).into(), 400),
        (job("\"a\0\"").into(), 400),
        (bad_utf8, 400),
        (job(&items).into(), 400),
        (job("1e400").into(), 400),
        (job(&format!("\"{}\"", "x".repeat(5 * MIB))).into(), 413),
    ];
    for (at, (body, expected)) in cases.into_iter().enumerate() {
        let headers =
            format!("Content-Type: application/json\r\nIdempotency-Key: shape-{at}-0001\r\n");
        let bytes = request("POST /api/v1/orchestrator/jobs", &token, &headers, &body);
        let answer = say(&service, &bytes).await;
        assert_eq!(status(&answer), expected, "case {at}: {answer}");
    }
    assert_well(&service).await;
}

#[tokio::test]
async fn a_bomb_is_refused_before_it_is_big() {
    let service = Service::start().await;
    let token = token(&service);
    let big = vec![b' '; 128 * MIB];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&big).unwrap();
    let bombs = [
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(big.as_slice(), 3).unwrap()),
    ];
    drop(big);
    let before = resident_bytes();
    for (encoding, bomb) in bombs {
        let headers = format!("Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n");
        let intake = "POST /api/v1/scheduler/advisories?source=s&mode=delta";
        let answer = say(&service, &request(intake, &token, &headers, &bomb)).await;
        assert_eq!(status(&answer), 422, "{answer}");
        assert!(answer.contains("COMPRESSION_BOMB"), "{answer}");
        let jobs = "POST /api/v1/orchestrator/jobs";
        let keyed = format!("{headers}Idempotency-Key: bomb\r\n");
        let answer = say(&service, &request(jobs, &token, &keyed, &bomb)).await;
        assert_eq!(status(&answer), 415, "nothing else unpacks: {answer}");
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 96 * MIB, "{grown} bytes more");
    assert_well(&service).await;
}
