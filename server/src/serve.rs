//! Running the server: from a listener to a clean end.

use std::{future::Future, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use parley_store::{Mailing, StoreError};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    attachments,
    config::Config,
    listener::Front,
    mail::outbox,
    meetings::{due, live},
    messages,
    metrics::{self, Metrics},
    realtime::{presence, publish, sessions},
    router::with_sockets,
    state::{App, AppState, OpenError},
    tls::{Certificates, TlsError},
};

/// How long sockets get to be told to reconnect.
const CLOSE_SOCKETS: Duration = Duration::from_secs(3);

/// The server can't run, or did not end cleanly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Opening the data directory failed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The certificate or its key can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener failed, or the file that tells its address can't be written.
    #[error("the server can't listen")]
    Listen(#[from] io::Error),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// Publishing or what is due ended by itself, which is a mistake in the program: better a restart than silence.
    #[error("a part of the server ended by itself")]
    PartEnded,
}

/// Serves on that listener until `shutdown` resolves: then nothing new is let in, what runs may end, sockets are told
/// to reconnect, and the database is checkpointed and closed. While it runs, the file `listen` in the data directory
/// holds the bound address.
///
/// Errors if the data directory can't be opened, the listener fails, or the database can't be closed.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let app = App::open(config).await?;
    serve_app(app, listener, shutdown).await
}

/// As [`serve()`], with a state that is already open. Closes its store at the end.
pub async fn serve_app(
    app: AppState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let certificates = app.config.tls.as_ref().map(Certificates::load).transpose()?;
    let metrics_listener = match app.config.metrics_listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    // Subscribed before anything can be committed, so that nothing is missed.
    let feed = app.store.subscribe();
    let mut tasks = JoinSet::new();
    let mailing = if app.config.smtp.is_some() { Mailing::On } else { Mailing::Off };
    app.store.begin_serving(mailing, app.now()).await?;
    live::restore(&app).await?;
    tasks.spawn(publish::run(Arc::clone(&app), feed));
    tasks.spawn(due::run(Arc::clone(&app)));
    tasks.spawn(attachments::sweep::run(Arc::clone(&app)));
    tasks.spawn(messages::index::run(Arc::clone(&app), app.store.subscribe()));
    tasks.spawn(outbox::run(Arc::clone(&app)));
    tasks.spawn(sessions::run(Arc::clone(&app)));
    let warm = Arc::clone(&app);
    let warming = tokio::spawn(async move {
        if let Err(refusal) = warm.passwords.warm_up().await {
            tracing::warn!(%refusal, "password hashing could not be warmed up");
        }
    });

    let (router, io) = with_sockets(&app);
    let stop = CancellationToken::new();
    let told = ListenFile::write(&app.config, address)?;
    tracing::info!(%address, tls = app.config.tls.is_some(), "listening");
    let front = Front::new(&app, certificates.clone());
    if let Some(certificates) = certificates {
        tasks.spawn(certificates.watch());
    }
    let cut = CancellationToken::new();
    let metrics_router = metrics::router(&app);
    let scraped = metrics_listener.map(|listener| {
        let front = Front::new(&app, None);
        tokio::spawn(front.run(listener, metrics_router, stop.clone(), cut.clone()))
    });
    if app.metrics.is_on() {
        tasks.spawn(Metrics::keep(Arc::clone(&app)));
    }
    let mut server = tokio::spawn(front.run(listener, router, stop.clone(), cut.clone()));
    let mut has_lost_a_part = false;
    let ended_by_itself = tokio::select! {
        () = shutdown => None,
        ended = &mut server => Some(ended),
        Some(part) = tasks.join_next() => {
            tracing::error!(panicked = part.is_err(), "a part of the server ended by itself");
            has_lost_a_part = true;
            None
        }
    };
    warming.abort();
    drop(told);
    app.start_draining();
    stop.cancel();
    if tokio::time::timeout(CLOSE_SOCKETS, presence::all_went(&app)).await.is_err() {
        tracing::warn!("not every device took its leave in time");
    }
    if tokio::time::timeout(CLOSE_SOCKETS, io.close()).await.is_err() {
        tracing::warn!("some sockets did not close in time");
    }
    let served = match ended_by_itself {
        Some(ended) => ended,
        None => match tokio::time::timeout(app.config.timing.drain, &mut server).await {
            Ok(ended) => ended,
            Err(_) => {
                tracing::warn!("some calls did not end in time");
                cut.cancel();
                server.await
            }
        },
    };
    if let Some(scraped) = scraped {
        cut.cancel();
        scraped.await.map_err(io::Error::other)?;
    }
    app.farewells.close();
    if tokio::time::timeout(CLOSE_SOCKETS, app.farewells.wait()).await.is_err() {
        tracing::warn!("some sockets were not cleared away in time");
    }
    tasks.shutdown().await;
    app.store.close().await?;
    app.unlock();
    tracing::info!("stopped");
    served.map_err(io::Error::other)?;
    if has_lost_a_part { Err(ServeError::PartEnded) } else { Ok(()) }
}

/// The file that tells others on this machine where the server listens.
struct ListenFile(PathBuf);

impl ListenFile {
    fn write(config: &Config, address: SocketAddr) -> io::Result<Self> {
        let path = config.data_dir.join("listen");
        let draft = config.data_dir.join("listen.new");
        std::fs::write(&draft, format!("{address}\n"))?;
        std::fs::rename(&draft, &path)?;
        Ok(Self(path))
    }
}

impl Drop for ListenFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(%error, "the file with the address was gone already");
        }
    }
}
