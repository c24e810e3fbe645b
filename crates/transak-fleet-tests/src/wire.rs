//! A wire to a server that can be cut, held or slowed down.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the wire does to what is sent over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// What is asked arrives late.
    SlowThere(Duration),
    /// What is answered arrives late.
    SlowBack(Duration),
    /// Whoever asks is cut off; the server never hears of it.
    CutBefore,
    /// The server hears of it, and the answer is cut off.
    CutAfter,
    /// Nothing passes either way, and nobody is told: a half-open connection.
    Silent,
    /// The server hears of it, and the answer never comes, with the connection left open.
    SilentBack,
    /// Nobody gets through to begin with.
    Refuse,
}

/// A port that leads to another.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    trouble: watch::Sender<Trouble>,
    task: JoinHandle<()>,
}

impl Wire {
    /// To a port of this machine.
    ///
    /// # Panics
    ///
    /// If there is no port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (trouble, watched) = watch::channel(Trouble::None);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let watched = watched.clone();
                tokio::spawn(carry(stream, port, watched));
            }
        });
        Self {
            port: own,
            trouble,
            task,
        }
    }

    /// Its own end.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, for what is under way too.
    pub fn make(&self, trouble: Trouble) {
        self.trouble.send_replace(trouble);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: TcpStream, port: u16, trouble: watch::Receiver<Trouble>) {
    if *trouble.borrow() == Trouble::Refuse {
        return;
    }
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    // Either end closes both.
    tokio::select! {
        _ = there(near_read, far_write, trouble.clone()) => {}
        _ = back(far_read, near_write, trouble) => {}
    }
}

async fn there(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut trouble: watch::Receiver<Trouble>,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        let now = *trouble.borrow();
        match now {
            Trouble::SlowThere(span) => tokio::time::sleep(span).await,
            Trouble::CutBefore | Trouble::Refuse => return Ok(()),
            // What was swallowed is gone: the connection is of no use any more, also when the trouble is over.
            Trouble::Silent => {
                over(&mut trouble, Trouble::Silent).await;
                return Ok(());
            }
            Trouble::None | Trouble::SlowBack(_) | Trouble::CutAfter | Trouble::SilentBack => {}
        }
        to.write_all(&piece[..length]).await?;
    }
}

async fn back(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut trouble: watch::Receiver<Trouble>,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        let now = *trouble.borrow();
        match now {
            Trouble::SlowBack(span) => tokio::time::sleep(span).await,
            Trouble::CutAfter | Trouble::Refuse => return Ok(()),
            Trouble::Silent | Trouble::SilentBack => {
                over(&mut trouble, now).await;
                return Ok(());
            }
            Trouble::None | Trouble::SlowThere(_) | Trouble::CutBefore => {}
        }
        to.write_all(&piece[..length]).await?;
    }
}

async fn over(trouble: &mut watch::Receiver<Trouble>, which: Trouble) {
    let _ = trouble.wait_for(|now| *now != which).await;
}
