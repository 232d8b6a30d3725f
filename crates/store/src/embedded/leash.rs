//! Ends a child process when we end, however we end.
//!
//! The child is started by a shell that first leaves a guard behind: a subshell that reads from a pipe whose other end
//! only we hold. When we die, also by SIGKILL, the system closes our end, the guard reads the end of the file and
//! sends the child SIGINT, which for PostgreSQL is a clean fast shutdown. When the child ends first, we write a line
//! and the guard leaves without a signal, because the process id may be somebody else's by then.
//!
//! Why not `PR_SET_PDEATHSIG`: it needs `unsafe` (`pre_exec`) or util-linux (`setpriv --pdeathsig`, missing on Alpine
//! and macOS); it is bound to the *thread* that spawned the child; and a parent that dies before the child has asked
//! for it goes unnoticed. The pipe is bound to the process, is there before the child is, and needs only a POSIX shell.
//!
//! What a guard cannot do: act when it was killed together with us. That orphan is ended by the next start.

use std::path::Path;
use std::process::Command;

/// `$$` in the subshell is the process id of the shell that becomes the program. A background job's standard input is
/// /dev/null, so the pipe moves to descriptor 3, which the program does not get.
const SCRIPT: &str = r#"exec 3<&0 </dev/null
(trap '' HUP INT TERM; read -r released <&3 || kill -INT $$) >/dev/null 2>&1 &
exec "$@" 3<&-"#;

/// Our end of the pipe. Dropping it sends the program SIGINT.
pub(super) struct Leash<W: std::io::Write>(W);

impl<W: std::io::Write> Leash<W> {
    /// Takes the child's piped standard input.
    pub(super) fn new(pipe: W) -> Self {
        Self(pipe)
    }

    /// Lets the guard go; to be called when the program has ended.
    pub(super) fn release(mut self) {
        // A guard that is gone already needs no release.
        let _ = self.0.write_all(b"released\n");
    }
}

/// A command for `program` under a guard. Its standard input must be piped and become a [`Leash`].
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "jobengine-guard"]).arg(program);
    command
}
