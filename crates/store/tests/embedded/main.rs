//! The private PostgreSQL with real processes: it starts, keeps its data, and survives what can be done to it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod crash;
mod holder;
mod refusal;
mod support;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Instant;

use jobengine_store::embedded::{Cluster, Options};

use support::{fresh, lives, private_dir, run, text};

#[tokio::test]
async fn it_starts_privately_stops_cleanly_and_keeps_its_data() {
    let dir = private_dir();
    let options = Options::new(dir.path());
    let start = Instant::now();
    let server = Cluster::start(&options).await.unwrap();
    println!("first start with initdb, fsync on: {:?}", start.elapsed());

    let uid = std::fs::metadata(format!("/proc/{}", server.pid()))
        .unwrap()
        .uid();
    assert_ne!(uid, 0, "PostgreSQL runs as root");
    assert_eq!(
        std::fs::metadata(server.socket_dir()).unwrap().mode() & 0o777,
        0o700
    );
    assert_eq!(std::fs::metadata(dir.path()).unwrap().mode() & 0o007, 0);
    for (name, value) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "60"),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
        ("autovacuum", "on"),
        ("wal_level", "replica"),
    ] {
        let sql = match name {
            "lc_collate" => {
                "SELECT datcollate::text FROM pg_database WHERE datname = 'postgres'".to_owned()
            }
            _ => format!("SELECT current_setting('{name}')"),
        };
        assert_eq!(text(&server, &sql).await, value, "{name}");
    }
    run(&server, "CREATE TABLE kept AS SELECT 'yes' AS word")
        .await
        .unwrap();

    assert!(server.is_alive());
    let (pid, start) = (server.pid(), Instant::now());
    server.stop().await.unwrap();
    println!("stop: {:?}", start.elapsed());
    assert!(!lives(pid));

    let start = Instant::now();
    let server = Cluster::start(&options).await.unwrap();
    println!("start on existing data: {:?}", start.elapsed());
    assert_eq!(text(&server, "SELECT word FROM kept").await, "yes");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_odd_path_gets_its_socket_elsewhere() {
    let (dir, mut options) = fresh();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    options.data_dir = dir.path().join(format!("a, \"b\" 'c' {}", "d".repeat(120)));
    let server = Cluster::start(&options).await.unwrap();
    let socket_dir = server.socket_dir().to_owned();
    assert!(
        !socket_dir.starts_with(dir.path()),
        "{}",
        socket_dir.display()
    );
    let meta = std::fs::metadata(&socket_dir).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o700);
    assert_eq!(text(&server, "SELECT 'there'").await, "there");
    server.stop().await.unwrap();
    assert!(!socket_dir.exists());

    options.data_dir = dir.path().join("e \"f\" 'g' \\h");
    let server = Cluster::start(&options).await.unwrap();
    assert!(server.socket_dir().starts_with(&options.data_dir));
    assert_eq!(text(&server, "SELECT 'there'").await, "there");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_of_another_user_is_served_by_that_user() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root starts PostgreSQL as somebody else");
        return;
    }
    let (dir, options) = fresh();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let (uid, gid) = (nobody.uid.as_raw(), nobody.gid.as_raw());
    std::os::unix::fs::chown(dir.path(), Some(uid), Some(gid)).unwrap();
    for _ in 0..2 {
        let server = Cluster::start(&options).await.unwrap();
        let runs_as = std::fs::metadata(format!("/proc/{}", server.pid()))
            .unwrap()
            .uid();
        assert_eq!(runs_as, uid);
        assert_eq!(text(&server, "SELECT 'there'").await, "there");
        server.stop().await.unwrap();
    }
}
