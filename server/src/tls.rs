//! TLS by rustls: the certificate and its key, read at the start and again when their files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio::sync::Semaphore;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{config::TlsFiles, connection::Stream};

mod validity;

pub(crate) use validity::not_after;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Handshakes at once. A client that has sent nothing yet is none of them.
const MAX_HANDSHAKES: usize = 256;

/// The certificate or its key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{path} can't be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no PEM, or has no certificate or no key in it.
    #[error("{path} holds no {what} in PEM form")]
    Empty {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The key is another certificate's.
    #[error("the key in {key} does not belong to the first certificate in {cert}")]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate or its key is of a kind that can't be used.
    #[error("{cert} and {key} can't be used for TLS")]
    Unusable {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// The chain in a file, the server's own certificate first.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let empty = || TlsError::Empty { path: path.to_owned(), what: "certificate" };
    let bytes = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(empty)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        pem::Error::Io(source) => TlsError::File { path: path.to_owned(), source },
        _ => TlsError::Empty { path: path.to_owned(), what: "private key" },
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

/// What TLS is served with from those files, which must fit each other.
pub(crate) fn server_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let (cert, key) = (files.cert.clone(), files.key.clone());
    let (chain, private) = (read_chain(&cert)?, read_key(&key)?);
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    match config {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(config)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch { cert, key }),
        Err(source) => Err(TlsError::Unusable { cert, key, source }),
    }
}

/// When a file was changed and how long it is.
type Stamp = (Option<SystemTime>, u64);

/// The certificate of the moment.
pub(crate) struct Certificates {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
    handshakes: Semaphore,
}

impl Certificates {
    /// Reads the files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(Arc::new(server_config(files)?));
        Ok(Arc::new(Self { files: files.clone(), current, handshakes: Semaphore::new(MAX_HANDSHAKES) }))
    }

    /// Reads the files again. New connections get what they hold; if that can't be used, what was before stays.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(server_config(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// The handshake. Waits for the client's first byte before it counts.
    pub(crate) async fn accept(&self, stream: Stream) -> io::Result<TlsStream<Stream>> {
        stream.first_byte().await?;
        let _one = self.handshakes.acquire().await.map_err(io::Error::other)?;
        let config = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Reads the files again whenever they have changed or the process gets SIGHUP. Never ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut seen = self.stamps();
        let mut hangups = Hangups::new();
        loop {
            let is_told = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = hangups.next() => true,
            };
            let stamps = self.stamps();
            if stamps == seen && !is_told {
                continue;
            }
            // While one of the two files is still the old one they don't fit; the second change brings us back here.
            seen = stamps;
            match self.reload() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "the certificate before stays in use");
                }
            }
        }
    }

    fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.files.cert, &self.files.key].map(|path| {
            let meta = fs::metadata(path).ok()?;
            Some((meta.modified().ok(), meta.len()))
        })
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    #[cfg(unix)]
    fn new() -> Self {
        Self { signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok() }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
