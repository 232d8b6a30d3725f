//! A network of a test's own, whose far end can vanish: two network namespaces with a cable between them.
//!
//! It needs the right to make namespaces and the program `ip`. Where either is missing, the test says so and
//! is passed over.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::gettid;

/// This end of the cable.
const NEAR: &str = "10.231.7.1";
/// The other end.
const FAR: &str = "10.231.7.2";

/// What is done at the far end.
type Work = Box<dyn FnOnce() + Send>;

/// The far end. Everything vanishes with it.
pub(crate) struct Network {
    far: mpsc::Sender<Work>,
}

/// Runs a test in a network of its own, on a thread of its own: it is the thread that moves there.
pub(crate) fn alone<T: Future<Output = ()>>(test: impl FnOnce(Network) -> T + Send + 'static) {
    let near = thread::spawn(|| match Network::make() {
        Ok(network) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test(network)),
        // Past the capture of the test's output: a test that proves nothing must not look as if it did.
        Err(why) => {
            let line = format!("skipped: no network of its own can be made here ({why})\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
    });
    if let Err(panic) = near.join() {
        std::panic::resume_unwind(panic);
    }
}

impl Network {
    fn make() -> Result<Self, String> {
        own_namespace()?;
        let (far, work) = mpsc::channel::<Work>();
        let (told, heard) = mpsc::channel();
        let here = gettid();
        thread::spawn(move || {
            let made = own_namespace().and_then(|()| {
                let cable = format!("link add far type veth peer name near netns {here}");
                ip(&cable)?;
                ip(&format!("addr add {FAR}/30 dev far"))?;
                ip("link set far up")
            });
            told.send(made).unwrap();
            for work in work {
                work();
            }
        });
        heard.recv().map_err(|error| error.to_string())??;
        ip("link set lo up")?;
        ip(&format!("addr add {NEAR}/30 dev near"))?;
        ip("link set near up")?;
        Ok(Self { far })
    }

    /// Where a server of this network listens.
    pub(crate) const LISTEN: &str = "10.231.7.1:0";

    /// Connects from the far end.
    pub(crate) fn connect(&self, server: SocketAddr) -> TcpStream {
        self.do_far(move || TcpStream::connect(server).unwrap())
    }

    /// From now on nothing comes from the far end, not even a word of farewell, and nothing gets there.
    pub(crate) fn cut(&self) {
        // Packets still arrive there, and are nobody's: no error comes back.
        self.do_far(|| ip("addr flush dev far").unwrap());
    }

    fn do_far<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (told, heard) = mpsc::channel();
        let work = move || drop(told.send(work()));
        self.far.send(Box::new(work)).unwrap();
        heard.recv().expect("the far end did it")
    }
}

/// Connections to a port that some process on this side still holds open.
pub(crate) fn held(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
    let mut local = String::new();
    write!(local, ":{port:04X}").unwrap();
    let is_held = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Local address, state (0A listens), and the inode, which an orphan has not.
        fields[1].ends_with(&local) && fields[3] != "0A" && fields[9] != "0"
    };
    table.lines().skip(1).filter(is_held).count()
}

/// Moves the calling thread.
fn own_namespace() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| error.to_string())
}

/// Changes the network of the calling thread.
fn ip(words: &str) -> Result<(), String> {
    let output = Command::new("ip").args(words.split(' ')).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let done = output.status.success().then_some(());
    done.ok_or_else(|| format!("ip {words}: {complaint}"))
}
