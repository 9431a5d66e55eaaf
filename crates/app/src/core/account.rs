//! Who is signed in: restored at the start, by the form, by the command line; out by the person or by the server.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use parley_client::{Client, ClientError, ClientOptions, Credentials, SecretStore, cache::Opened};
use parley_protocol::{
    Code,
    app::{self, AppError, AppEvent, ConnectionState, ConnectionView, SessionState, SessionView, SignIn},
};
use tokio::{task::spawn_blocking, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use super::{Shared, listener, no_projects};
use crate::{options::PresetSignIn, secrets};

/// A server that is started at the same moment as the app may take this long.
const SERVER_WITHIN: Duration = Duration::from_secs(30);
const RETRY_EVERY: Duration = Duration::from_millis(300);

/// The signed-in person's client and the task that listens to it.
pub(super) struct Account {
    pub(super) client: Arc<Client>,
    _listener: AbortOnDropHandle<()>,
}

/// Where the session's secrets lie.
pub(super) struct Place {
    store: Arc<dyn SecretStore>,
    kind: app::SecretStore,
}

/// Restores the session, or signs in as the command line says.
pub(super) async fn open(shared: Arc<Shared>) {
    let _changing = shared.changing.lock().await;
    let restored = Client::restore(client_options(&shared).await).await;
    let preset = shared.options.sign_in.clone();
    match (restored, preset) {
        (Ok(Some(client)), preset) => match preset.filter(|preset| !is_of(&client, preset)) {
            Some(preset) => {
                if let Err(error) = client.sign_out().await {
                    tracing::warn!(%error, "the earlier sign-in could not be ended");
                }
                drop(client);
                sign_in_as(&shared, &preset).await;
            }
            None => adopt(&shared, client),
        },
        (Ok(None), Some(preset)) => sign_in_as(&shared, &preset).await,
        (Ok(None), None) => show_signed_out(&shared, None),
        (Err(error), _) => show_signed_out(&shared, Some(error.into())),
    }
}

fn is_of(client: &Client, preset: &PresetSignIn) -> bool {
    let same_server = parley_client::ServerAddress::parse(&preset.server, true)
        .is_ok_and(|address| address.as_str() == client.server().as_str());
    same_server && client.user().email.eq_ignore_ascii_case(&preset.email)
}

/// By the form.
pub(super) async fn sign_in(shared: &Arc<Shared>, form: SignIn) -> Result<SessionView, AppError> {
    let _changing = shared.changing.lock().await;
    if shared.client().is_ok() {
        return Err(AppError::new(Code::Forbidden, "Somebody is signed in. Sign out first."));
    }
    let credentials = Credentials {
        server: form.server,
        allow_plain_http: form.allow_plain_http,
        email: form.email,
        password: form.password,
    };
    let client = Client::sign_in(client_options(shared).await, credentials).await?;
    adopt(shared, client);
    Ok(shared.present.snapshot().session)
}

/// By the person's wish.
pub(super) async fn sign_out(shared: &Arc<Shared>) -> Result<(), AppError> {
    let _changing = shared.changing.lock().await;
    let client = shared.client()?;
    // First nothing of this account is heard any more, then its calls end.
    shared.take_account();
    shared.calls.close().await;
    let outcome = client.sign_out().await;
    show_signed_out(shared, None);
    Ok(outcome?)
}

/// The server no longer takes the session.
pub(super) async fn thrown_out(shared: Arc<Shared>, client: Arc<Client>, error: ClientError) {
    let _changing = shared.changing.lock().await;
    if !shared.client().is_ok_and(|present| Arc::ptr_eq(&present, &client)) {
        return;
    }
    shared.take_account();
    shared.calls.close().await;
    match shared.options.sign_in.clone() {
        Some(preset) => sign_in_as(&shared, &preset).await,
        None => show_signed_out(&shared, Some(error.into())),
    }
}

/// By the command line. Waits for a server that is just being started.
async fn sign_in_as(shared: &Arc<Shared>, preset: &PresetSignIn) {
    let password = match tokio::fs::read_to_string(&preset.password_file).await {
        Ok(text) => text.lines().next().unwrap_or_default().to_owned(),
        Err(error) => {
            let error = AppError::new(Code::LocalStorage, format!("The password file can't be read: {error}."));
            return show_signed_out(shared, Some(error));
        }
    };
    let give_up = Instant::now() + SERVER_WITHIN;
    loop {
        let credentials = Credentials {
            server: preset.server.clone(),
            allow_plain_http: false,
            email: preset.email.clone(),
            password: password.clone(),
        };
        match Client::sign_in(client_options(shared).await, credentials).await {
            Ok(client) => return adopt(shared, client),
            Err(error) if error.is_transient() && Instant::now() < give_up => tokio::time::sleep(RETRY_EVERY).await,
            Err(error) => return show_signed_out(shared, Some(error.into())),
        }
    }
}

async fn client_options(shared: &Shared) -> ClientOptions {
    let place = shared
        .place
        .get_or_init(|| async {
            let options = &shared.options;
            let (wanted, profile, folder) = (options.secrets, options.profile.clone(), options.data_dir.clone());
            let opened = spawn_blocking(move || secrets::open(wanted, &profile, &folder)).await;
            match opened {
                Ok((store, kind)) => Place { store, kind },
                // Only a panic in a keyring's library comes here; the file can't fail to open.
                Err(error) => {
                    tracing::warn!(%error, "the keyring failed; the sign-in goes to an encrypted file");
                    let (store, kind) = secrets::open(crate::SecretPlace::File, &options.profile, &options.data_dir);
                    Place { store, kind }
                }
            }
        })
        .await;
    ClientOptions {
        engines: shared.library.engines().await,
        clock: Arc::clone(&shared.clock),
        ..ClientOptions::new(shared.options.data_dir.join("copy"), Arc::clone(&place.store))
    }
}

fn adopt(shared: &Arc<Shared>, client: Client) {
    let client = Arc::new(client);
    let events = client.events();
    shared.settings.remember_server(client.server().as_str());
    shared.calls.set_name(&client.user().name);
    show_session(shared, SessionState::SignedIn, Some(&client), None);
    if let Opened::Rebuilt { outbox_lost: true, .. } = client.opened() {
        let words = "The local copy was damaged and is being built anew from the server. Messages that had not been \
                     sent yet could not be saved.";
        shared.present.tell(AppEvent::Notice(AppError::new(Code::LocalStorage, words)));
    }
    let task = listener::run(Arc::downgrade(shared), Arc::clone(&client), events);
    let account = Account { client, _listener: AbortOnDropHandle::new(tokio::spawn(task)) };
    *shared.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    // Signing in took its time: the library may be another one than when the client was told of it.
    let shared = Arc::clone(shared);
    drop(tokio::spawn(async move { shared.announce_engines().await }));
}

fn show_signed_out(shared: &Shared, ended: Option<AppError>) {
    show_session(shared, SessionState::SignedOut, None, ended);
    shared.present.tell(AppEvent::Projects(no_projects()));
    shared.present.tell(AppEvent::Connection(ConnectionView { state: ConnectionState::Offline, waiting: 0 }));
}

fn show_session(shared: &Shared, state: SessionState, client: Option<&Client>, ended: Option<AppError>) {
    let server = shared.settings.server().or_else(|| shared.options.server.clone());
    shared.present.tell(AppEvent::Session(SessionView {
        state,
        user: client.map(Client::user),
        server: client.map(|client| client.server().to_string()).or(server),
        profile: shared.options.profile.clone(),
        secret_store: shared.place.get().map_or(app::SecretStore::File, |place| place.kind),
        ended,
    }));
}
