//! The session's tokens: one refresh at a time, the new refresh token kept before the new access token is used.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parley_domain::User;
use parley_protocol::{
    Code,
    rest::{Refresh, SignedIn},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    ClientError, SecretStore, ServerAddress,
    error::Refusal,
    rest::http::{Http, Method},
    secrets::StoredSession,
};

/// An access token is renewed when less than this is left: a request under way must not meet its end.
const MARGIN: Duration = Duration::from_secs(30);
/// Repeats of a refresh whose answer was lost. They must fall into the server's grace of 30 s (CONTRACT §2).
const REFRESH_REPEATS: u32 = 2;

/// An access token and its place in the succession.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) token: String,
    /// Counts the refreshes of this process.
    pub(crate) generation: u64,
}

struct Tokens {
    access: Option<Access>,
    until: Instant,
    lifetime: Duration,
    refresh: String,
    user: User,
}

pub(crate) struct Session {
    pub(crate) http: Http,
    address: ServerAddress,
    allow_plain_http: bool,
    secrets: Arc<dyn SecretStore>,
    tokens: Mutex<Tokens>,
    refreshing: tokio::sync::Mutex<()>,
    /// One change of `secrets` at a time. The thread that makes it holds this: who asked for it may be gone.
    keeping: Arc<tokio::sync::Mutex<()>>,
    /// The generation of the newest access token; the line renews its socket's by it.
    generation: watch::Sender<u64>,
    ended: watch::Sender<Option<ClientError>>,
}

impl Session {
    /// Begins with the answer of a sign-in, which is kept before this returns.
    pub(crate) async fn begin(
        http: Http,
        address: ServerAddress,
        allow_plain_http: bool,
        secrets: Arc<dyn SecretStore>,
        signed_in: SignedIn,
    ) -> Result<Self, ClientError> {
        let lifetime = Duration::from_secs(signed_in.expires_in);
        let tokens = Tokens {
            access: Some(Access { token: signed_in.access_token, generation: 1 }),
            until: Instant::now() + lifetime,
            lifetime,
            refresh: signed_in.refresh_token,
            user: signed_in.user,
        };
        let session = Self::with(http, address, allow_plain_http, secrets, tokens);
        session.persist().await?;
        Ok(session)
    }

    /// Goes on with a stored session; its first use refreshes it.
    pub(crate) fn resume(
        http: Http,
        address: ServerAddress,
        secrets: Arc<dyn SecretStore>,
        stored: StoredSession,
    ) -> Self {
        let tokens = Tokens {
            access: None,
            until: Instant::now(),
            lifetime: Duration::ZERO,
            refresh: stored.refresh_token,
            user: stored.user,
        };
        Self::with(http, address, stored.allow_plain_http, secrets, tokens)
    }

    fn with(
        http: Http,
        address: ServerAddress,
        allow_plain_http: bool,
        secrets: Arc<dyn SecretStore>,
        tokens: Tokens,
    ) -> Self {
        Self {
            http,
            address,
            allow_plain_http,
            secrets,
            generation: watch::Sender::new(u64::from(tokens.access.is_some())),
            tokens: Mutex::new(tokens),
            refreshing: tokio::sync::Mutex::new(()),
            keeping: Arc::default(),
            ended: watch::Sender::new(None),
        }
    }

    pub(crate) fn address(&self) -> &ServerAddress {
        &self.address
    }

    pub(crate) fn user(&self) -> User {
        self.lock().user.clone()
    }

    /// Changes when there is a new access token.
    pub(crate) fn generations(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Returns when the session is over. Cancel-safe.
    pub(crate) async fn until_ended(&self) {
        // The sender lives in `self`: waiting can't fail.
        drop(self.ended.subscribe().wait_for(Option::is_some).await);
    }

    /// Why the session is over; `None` while it isn't.
    pub(crate) fn end_reason(&self) -> Option<ClientError> {
        self.ended.borrow().clone()
    }

    /// When the present access token should be replaced: at four fifths of its life.
    pub(crate) fn renew_at(&self) -> Instant {
        let tokens = self.lock();
        let ahead = (tokens.lifetime / 5).max(MARGIN.min(tokens.lifetime / 2));
        tokens.until.checked_sub(ahead).unwrap_or(tokens.until)
    }

    /// A token that is good for a request now.
    pub(crate) async fn access(self: &Arc<Self>) -> Result<Access, ClientError> {
        let present = {
            let tokens = self.lock();
            let margin = MARGIN.min(tokens.lifetime / 2);
            match &tokens.access {
                Some(access) if Instant::now() + margin < tokens.until => return Ok(access.clone()),
                other => other.as_ref().map_or(0, |access| access.generation),
            }
        };
        self.refresh(present).await
    }

    /// The successor of the token of that generation. Many callers make one request, and a caller that goes away does
    /// not break it off: an answer that nobody keeps would cost the session once the server's grace is over.
    pub(crate) async fn refresh(self: &Arc<Self>, seen: u64) -> Result<Access, ClientError> {
        let session = Arc::clone(self);
        let refreshing = tokio::spawn(async move { session.refresh_now(seen).await });
        refreshing.await.unwrap_or(Err(ClientError::Closed))
    }

    async fn refresh_now(&self, seen: u64) -> Result<Access, ClientError> {
        let _one_at_a_time = self.refreshing.lock().await;
        if let Some(error) = self.end_reason() {
            return Err(error);
        }
        let (body, generation) = {
            let tokens = self.lock();
            if let Some(access) = &tokens.access
                && access.generation > seen
            {
                return Ok(access.clone());
            }
            (Refresh { refresh_token: tokens.refresh.clone() }, *self.generation.borrow())
        };
        let answer = tokio::select! {
            answer = self.request(&body) => answer,
            // Whoever signs out waits for this refresh, and not for a server that doesn't answer it.
            () = self.until_ended() => return Err(self.end_reason().unwrap_or(ClientError::Closed)),
        };
        match answer {
            Ok(signed_in) => self.succeed(signed_in, generation + 1).await,
            Err(ClientError::Refused(refusal)) if matches!(refusal.status, 400 | 401 | 403 | 422) => {
                Err(self.end(*refusal).await)
            }
            Err(error) => Err(error),
        }
    }

    async fn request(&self, body: &Refresh) -> Result<SignedIn, ClientError> {
        let mut repeats = 0;
        loop {
            let url = self.address.api("auth/refresh");
            match self.http.send(Method::POST, url, None, Some(body), None).await {
                Err(ClientError::TimedOut | ClientError::Unreachable(_)) if repeats < REFRESH_REPEATS => repeats += 1,
                outcome => return outcome,
            }
        }
    }

    async fn succeed(&self, signed_in: SignedIn, generation: u64) -> Result<Access, ClientError> {
        let access = Access { token: signed_in.access_token, generation };
        {
            let mut tokens = self.lock();
            tokens.refresh = signed_in.refresh_token;
            tokens.user = signed_in.user;
        }
        if let Err(error) = self.persist().await {
            // The session goes on in memory; only a restart would find an old token.
            tracing::warn!(%error, "the new session could not be kept");
        }
        {
            let mut tokens = self.lock();
            tokens.lifetime = Duration::from_secs(signed_in.expires_in);
            tokens.until = Instant::now() + tokens.lifetime;
            tokens.access = Some(access.clone());
        }
        self.generation.send_replace(generation);
        Ok(access)
    }

    async fn end(&self, refusal: Refusal) -> ClientError {
        let error = ClientError::SignedOut(Box::new(refusal));
        if let Err(error) = self.forget().await {
            tracing::warn!(%error, "the ended session could not be forgotten");
        }
        self.ended.send_replace(Some(error.clone()));
        error
    }

    /// Ends the session by the person's wish: nobody refreshes any more, the store is emptied.
    pub(crate) async fn sign_out(&self) -> Result<(), ClientError> {
        let error = ClientError::SignedOut(Box::new(Refusal::new(Code::Unauthenticated, "signed out")));
        self.ended.send_replace(Some(error));
        let _no_refresh_under_way = self.refreshing.lock().await;
        self.forget().await
    }

    /// Keeps the tokens of now. An ended session is not kept: a restart would bring it back.
    async fn persist(&self) -> Result<(), ClientError> {
        let one_at_a_time = Arc::clone(&self.keeping).lock_owned().await;
        if self.end_reason().is_some() {
            return Ok(());
        }
        let stored = {
            let tokens = self.lock();
            StoredSession {
                server: self.address.as_str().to_owned(),
                allow_plain_http: self.allow_plain_http,
                user: tokens.user.clone(),
                refresh_token: tokens.refresh.clone(),
            }
        };
        let text = serde_json::to_string(&stored).map_err(|error| ClientError::Storage(error.to_string()))?;
        let secrets = self.secrets.clone();
        blocking(move || {
            let _one_at_a_time = one_at_a_time;
            secrets.save(&text)
        })
        .await
    }

    async fn forget(&self) -> Result<(), ClientError> {
        let one_at_a_time = Arc::clone(&self.keeping).lock_owned().await;
        let secrets = self.secrets.clone();
        blocking(move || {
            let _one_at_a_time = one_at_a_time;
            secrets.clear()
        })
        .await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a call of the store of secrets where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, crate::SecretError> + Send + 'static,
) -> Result<T, ClientError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(outcome) => outcome.map_err(ClientError::from),
        Err(error) => Err(ClientError::Storage(error.to_string())),
    }
}
