//! What is refused, and what the refusal says.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use jobengine_store::embedded::{Cluster, EmbeddedError};

use super::holder::spawn_holder;
use super::support::{fresh, lives, text, until};

#[tokio::test]
async fn another_major_version_is_refused_untouched() {
    let (dir, options) = fresh();
    Cluster::start(&options)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let file = dir.path().join("pgdata/PG_VERSION");
    let ours = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "14\n").unwrap();
    let error = Cluster::start(&options).await.unwrap_err();
    assert!(
        matches!(&error, EmbeddedError::OtherMajor { found, .. } if found == "14"),
        "{error}"
    );
    assert!(error.to_string().contains("postgresql-14"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "14\n");

    std::fs::remove_file(&file).unwrap();
    assert!(matches!(
        Cluster::start(&options).await,
        Err(EmbeddedError::Damaged { .. })
    ));
    std::fs::write(&file, ours).unwrap();
    Cluster::start(&options)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_start_is_refused_by_name() {
    let (dir, options) = fresh();
    let server = Cluster::start(&options).await.unwrap();
    let error = Cluster::start(&options).await.unwrap_err();
    let us = std::process::id().to_string();
    assert!(
        matches!(&error, EmbeddedError::InUse { holder, .. } if *holder == us),
        "{error}"
    );
    assert!(matches!(
        Cluster::discard(dir.path()).await,
        Err(EmbeddedError::InUse { .. })
    ));
    assert_eq!(text(&server, "SELECT 'undisturbed'").await, "undisturbed");
    server.stop().await.unwrap();

    let (mut holder, postmaster) = spawn_holder(dir.path());
    let error = Cluster::start(&options).await.unwrap_err();
    let them = holder.0.id().to_string();
    assert!(
        matches!(&error, EmbeddedError::InUse { holder, .. } if *holder == them),
        "{error}"
    );
    assert!(lives(postmaster));
    holder.kill();
    until("its end", || !lives(postmaster));
    Cluster::discard(dir.path()).await.unwrap();
    assert!(!dir.path().exists());
}

#[tokio::test]
async fn a_parent_that_postgresql_may_not_enter_is_named() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root hands PostgreSQL to another user");
        return;
    }
    let (dir, mut options) = fresh();
    options.data_dir = dir.path().join("deeper/data");
    let error = Cluster::start(&options).await.unwrap_err();
    let parent = std::fs::canonicalize(dir.path()).unwrap();
    assert!(
        matches!(&error, EmbeddedError::NotReachable { path, user } if *path == parent && user == "postgres"),
        "{error}"
    );
    assert_eq!(
        std::fs::metadata(dir.path()).unwrap().mode() & 0o777,
        0o700,
        "a parent was opened"
    );

    // A directory of root's that means something to a group already is a person's to open.
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o750)).unwrap();
    options.data_dir = dir.path().to_owned();
    assert!(matches!(
        Cluster::start(&options).await,
        Err(EmbeddedError::NotReachable { .. })
    ));
}

#[tokio::test]
async fn a_cluster_of_roots_is_refused_with_the_command_that_mends_it() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let (dir, options) = fresh();
    std::fs::create_dir(dir.path().join("pgdata")).unwrap();
    std::fs::write(dir.path().join("pgdata/PG_VERSION"), "15\n").unwrap();
    let error = Cluster::start(&options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::WrongOwner { .. }), "{error}");
    assert!(error.to_string().contains("chown -R postgres"), "{error}");
}

#[tokio::test]
async fn a_failed_start_tells_what_postgresql_said() {
    let (dir, mut options) = fresh();
    options
        .settings
        .insert("work_mem".to_owned(), "nonsense".to_owned());
    let error = Cluster::start(&options).await.unwrap_err();
    assert!(
        matches!(&error, EmbeddedError::StartFailed { tail, .. } if tail.contains("work_mem")),
        "{error}"
    );
    assert!(error.to_string().contains("postgres.log"), "{error}");

    // What an interrupted initdb left is no cluster, and a log of earlier starts is no part of the next error.
    options.settings.clear();
    std::fs::create_dir(dir.path().join("pgdata.unfinished")).unwrap();
    options
        .settings
        .insert("log_line_prefix".to_owned(), "next: ".to_owned());
    options
        .settings
        .insert("max_wal_size".to_owned(), "1kB".to_owned());
    let EmbeddedError::StartFailed { tail, .. } = Cluster::start(&options).await.unwrap_err()
    else {
        panic!()
    };
    assert!(
        tail.contains("max_wal_size") && !tail.contains("work_mem"),
        "{tail}"
    );
}
