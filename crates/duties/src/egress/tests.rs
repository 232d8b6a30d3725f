use super::*;
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A receiver that reads a request and then does what it is told with the connection.
async fn receiver<F>(
    then: impl Fn(TcpStream) -> F + Send + 'static,
) -> (u16, mpsc::Receiver<String>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, requests) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            request.truncate(read);
            let _ = seen
                .send(String::from_utf8_lossy(&request).into_owned())
                .await;
            tokio::spawn(then(stream));
        }
    });
    (port, requests)
}

async fn answering(answer: &'static str) -> (u16, mpsc::Receiver<String>) {
    receiver(move |mut stream| async move {
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

fn egress(total_ms: u64) -> Egress {
    let policy = EgressPolicy::default().with_loopback();
    Egress::trusting(
        policy,
        RootCertStore::empty(),
        Duration::from_millis(total_ms),
    )
}

async fn post(egress: &Egress, url: &str) -> Result<Answer, EgressError> {
    let headers = HeaderMap::from_iter([(
        reqwest::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )]);
    egress
        .post(url, &Hosts::default(), headers, b"{}".to_vec())
        .await
}

#[tokio::test]
async fn an_answer_is_its_status_and_what_it_asks_for() {
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno";
    let (port, mut requests) = answering(busy).await;
    let answer = post(&egress(5_000), &format!("http://localhost:{port}/hook?k=v")).await;
    let expected = Answer {
        status: 503,
        retry_after_ms: Some(7_000),
    };
    assert_eq!(answer.unwrap(), expected);
    let request = requests.recv().await.unwrap().to_lowercase();
    assert!(
        request.starts_with("post /hook?k=v http/1.1\r\n"),
        "{request}"
    );
    // The name as it was given, though the connection went to an address.
    assert!(
        request.contains(&format!("\r\nhost: localhost:{port}\r\n")),
        "{request}"
    );
    assert!(request.contains("\r\nuser-agent: jobengine/"), "{request}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, mut reached) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let redirect = format!(
        "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:{inside}/\r\nContent-Length: 0\r\n\r\n"
    );
    let (port, _requests) = answering(redirect.leak()).await;
    let answer = post(&egress(5_000), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(answer.unwrap().status, 307);
    assert!(reached.try_recv().is_err());
}

#[tokio::test]
async fn whoever_does_not_answer_is_left() {
    let (port, _requests) = receiver(async |stream| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let began = Instant::now();
    let error = post(&egress(300), &format!("http://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::TimedOut), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    let error = post(&egress(300), "http://127.0.0.1:1/").await.unwrap_err();
    assert!(matches!(error, EgressError::Connect), "{error}");
    let (port, _requests) = answering("SSH-2.0-OpenSSH_9.9\r\n").await;
    let error = post(&egress(5_000), &format!("http://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Broken), "{error}");
}

#[tokio::test]
async fn an_endless_answer_costs_a_bounded_read() {
    let (port, _requests) = receiver(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    })
    .await;
    let began = Instant::now();
    let answer = post(&egress(10_000), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(answer.unwrap().status, 200);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_name_is_judged_by_every_address_it_has() {
    let (port, mut requests) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let policy = EgressPolicy::default().with_http().with_port(port);
    let strict = Egress::new(policy, &Authorities::default());
    for host in ["localhost", "127.0.0.1", "[::1]", "2130706433"] {
        let error = post(&strict, &format!("http://{host}:{port}/"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "ADDRESS_DENIED", "{host}: {error}");
    }
    assert!(
        requests.try_recv().is_err(),
        "a denied address was connected to"
    );
    let url = format!("http://localhost:{port}/");
    let hosts = Hosts(["hooks.example.com".parse().unwrap()].into());
    let error = egress(5_000)
        .post(&url, &hosts, HeaderMap::new(), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "HOST_NOT_LISTED");
    let error = post(&egress(5_000), "https://nobody.invalid/")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "HOST_UNRESOLVED");
}
