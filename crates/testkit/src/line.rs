//! A line to a server that a test can cut, mend, and make deaf.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::AbortOnDropHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Requests arrive, answers don't.
    Deaf,
    Cut,
}

/// Forwards TCP to a server. Ends when it is dropped.
pub struct CuttableLine {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    _accepting: AbortOnDropHandle<()>,
}

impl CuttableLine {
    /// A whole line to that server.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn to(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::Whole));
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, server, Arc::clone(&state))));
        Ok(Self { address, state, _accepting: accepting })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// What is asked still arrives, what is answered no longer does.
    pub fn make_deaf(&self) {
        self.state.send_replace(State::Deaf);
    }

    /// New connections get through again.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: Arc<watch::Sender<State>>) {
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() != State::Cut {
            // Each ends with its connection, or when the line is cut or gone.
            tokio::spawn(forward(near, server, state.subscribe()));
        }
    }
}

async fn forward(near: TcpStream, server: SocketAddr, state: watch::Receiver<State>) {
    let Ok(far) = TcpStream::connect(server).await else { return };
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let until = |wanted: fn(State) -> bool| {
        let mut state = state.clone();
        // A line that is gone is cut.
        async move { drop(state.wait_for(|now| wanted(*now)).await) }
    };
    let answers = async {
        tokio::select! {
            _ = copy(&mut from_far, &mut to_near) => {}
            () = until(|now| now != State::Whole) => until(|now| now != State::Deaf).await,
        }
    };
    tokio::select! {
        _ = async { tokio::join!(copy(&mut from_near, &mut to_far), answers) } => {}
        () = until(|now| now == State::Cut) => {}
    }
}
