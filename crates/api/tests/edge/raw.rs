//! Bytes over a connection.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::service::{OURS, Service};
use jobengine_api::TokenRequest;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn connect(service: &Service) -> TcpStream {
    let address = service.url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// A token of somebody who may do everything.
pub(crate) fn token(service: &Service) -> String {
    token_of(service, OURS)
}

/// The same of a tenant.
pub(crate) fn token_of(service: &Service, tenant: TenantId) -> String {
    let request = TokenRequest {
        subject: "raw".to_owned(),
        tenant,
        project: None,
        scopes: Scope::ALL.to_vec(),
        ttl_s: 600,
    };
    service.issuer.mint(&request).unwrap()
}

/// Sends bytes, and reads what comes until the other side ends it or says no more.
pub(crate) async fn say(service: &Service, bytes: &[u8]) -> String {
    let mut stream = connect(service).await;
    // The server may answer, and end, before it has read all.
    let _ = stream.write_all(bytes).await;
    read(&mut stream).await
}

pub(crate) async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The status of the first answer; 0 when the connection ended without one.
pub(crate) fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1);
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// A request that ends its connection, with a body and a token.
pub(crate) fn request(line: &str, token: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Memory that this process holds, in bytes.
pub(crate) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<usize>().unwrap() * 1024
}

/// The service still does its work.
pub(crate) async fn assert_well(service: &Service) {
    let ready = service.http.get(format!("{}/readyz", service.url));
    assert_eq!(ready.send().await.unwrap().status(), 200);
}
