//! Either side dies, and the next start works.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jobengine_store::embedded::{Cluster, SUPERUSER};
use nix::sys::signal::Signal;
use tokio_postgres::NoTls;

use super::holder::{Mortal, spawn_holder};
use super::support::{
    PATIENCE, children_of, fresh, lives, program, run, send, text, unprivileged, until,
};

#[tokio::test]
async fn a_killed_postmaster_is_noticed_and_started_again() {
    let (_dir, options) = fresh();
    let server = Cluster::start(&options).await.unwrap();
    run(&server, "CREATE TABLE kept AS SELECT 'yes' AS word")
        .await
        .unwrap();
    // A server in the middle of work does not see at once that its postmaster has gone.
    let busy = server
        .config(SUPERUSER, "postgres")
        .connect(NoTls)
        .await
        .unwrap();
    tokio::spawn(busy.1);
    let busy = tokio::spawn(async move {
        busy.0
            .batch_execute("SELECT count(*) FROM generate_series(1, 1e12::int8)")
            .await
    });
    let active = "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE '%generate_series(1%' AND state = 'active' AND pid <> pg_backend_pid()";
    while text(&server, active).await == "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    send(server.pid(), Signal::SIGKILL);
    let exit = tokio::time::timeout(PATIENCE, server.wait()).await.unwrap();
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
    assert!(!server.is_alive());
    drop(server);

    let start = Instant::now();
    let server = Cluster::start(&options).await.unwrap();
    println!(
        "start after kill -9 of the postmaster, with a busy server left: {:?}",
        start.elapsed()
    );
    assert_eq!(text(&server, "SELECT word FROM kept").await, "yes");
    assert!(busy.await.unwrap().is_err(), "the old server goes on");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn postgresql_ends_cleanly_when_we_are_killed() {
    let (dir, options) = fresh();
    let (mut holder, postmaster) = spawn_holder(dir.path());
    holder.kill();
    println!(
        "PostgreSQL gone after kill -9 of its parent: {:?}",
        until("its end", || !lives(postmaster))
    );
    assert!(
        !dir.path().join("pgdata/postmaster.pid").exists(),
        "it did not shut down cleanly"
    );
    Cluster::start(&options)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

/// Kills the holder and its guard: what remains is an orphan.
fn orphaned(data_dir: &Path) -> i32 {
    let (mut holder, postmaster) = spawn_holder(data_dir);
    let guards: Vec<i32> = children_of(postmaster)
        .into_iter()
        .filter(|pid| program(*pid) != "postgres")
        .collect();
    assert_eq!(guards.len(), 1, "one guard");
    send(guards[0], Signal::SIGKILL);
    holder.kill();
    std::thread::sleep(Duration::from_millis(500));
    assert!(lives(postmaster), "the orphan ended by itself");
    postmaster
}

#[tokio::test]
async fn an_orphan_is_ended_and_its_data_taken_over() {
    let (dir, options) = fresh();
    let orphan = orphaned(dir.path());
    let start = Instant::now();
    let server = Cluster::start(&options).await.unwrap();
    println!("start that ends an orphan: {:?}", start.elapsed());
    assert!(!lives(orphan));
    assert_ne!(server.pid(), orphan);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_whose_id_is_in_use_again_is_no_obstacle() {
    let (dir, options) = fresh();
    let orphan = orphaned(dir.path());
    send(orphan, Signal::SIGKILL);
    until("its end", || !lives(orphan));
    // A process of PostgreSQL's own user has the id now, and even stands in the cluster's directory.
    let mut command = Command::new("sleep");
    command.arg("600").current_dir(dir.path().join("pgdata"));
    if nix::unistd::geteuid().is_root() {
        let user = unprivileged();
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    let mut bystander = Mortal(command.stdout(Stdio::null()).spawn().unwrap());
    for stale in ["pgdata/postmaster.pid", "socket/.s.PGSQL.5432.lock"] {
        let file = dir.path().join(stale);
        let old = std::fs::read_to_string(&file).unwrap();
        let rest = old.split_once('\n').unwrap().1;
        std::fs::write(&file, format!("{}\n{rest}", bystander.0.id())).unwrap();
    }

    let server = Cluster::start(&options).await.unwrap();
    assert_eq!(
        bystander.0.try_wait().unwrap(),
        None,
        "the innocent process was ended"
    );
    bystander.kill();
    server.stop().await.unwrap();

    // Cut short by a crash of the machine.
    std::fs::write(dir.path().join("pgdata/postmaster.pid"), "").unwrap();
    Cluster::start(&options)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dropped_server_ends_and_a_start_right_after_waits_for_it() {
    let (_dir, options) = fresh();
    let server = Cluster::start(&options).await.unwrap();
    let first = server.pid();
    drop(server);
    let server = Cluster::start(&options).await.unwrap();
    assert!(!lives(first));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_anew_and_a_long_log_set_aside() {
    let (dir, options) = fresh();
    let unfinished = dir.path().join("pgdata.unfinished");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    std::fs::write(dir.path().join("postgres.log"), vec![b'x'; 5 << 20]).unwrap();
    let server = Cluster::start(&options).await.unwrap();
    assert!(!unfinished.exists());
    assert!(std::fs::metadata(server.log_path()).unwrap().len() < 1 << 20);
    assert_eq!(
        std::fs::metadata(dir.path().join("postgres.log.1"))
            .unwrap()
            .len(),
        5 << 20
    );
    server.stop().await.unwrap();
}
