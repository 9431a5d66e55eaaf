//! Addresses of files that work by themselves for one person and a few minutes, so that a browser or a viewer can load
//! a file without being handed the person's token.

use std::time::Duration;

use parley_domain::{Attachment, AttachmentId, Message, Timestamp, UserId};
use parley_protocol::Code;
use subtle::ConstantTimeEq;

use crate::{
    extract::Query,
    problem::{Outcome, Refusal},
    state::App,
};

/// `CONTRACT.md` §4.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Gives a file the address that its reader uses from now on.
pub(crate) fn sign(app: &App, reader: UserId, file: &mut Attachment) {
    let expires = (app.now() + LIFETIME).as_millis().div_euclid(1_000);
    let signature = hex::encode(signature(app, file.id, reader, expires));
    file.url = format!("/api/v1/attachments/{}?user={reader}&expires={expires}&signature={signature}", file.id);
}

/// The same for all the files of messages.
pub(crate) fn sign_messages<'m>(app: &App, reader: UserId, messages: impl IntoIterator<Item = &'m mut Message>) {
    for file in messages.into_iter().flat_map(|message| &mut message.attachments) {
        sign(app, reader, file);
    }
}

/// Whom an address was signed for; `None` if it is not signed at all. 422 for what can't be read, 403 for what this
/// server did not sign, 410 for what is past its time.
pub(super) fn reader(app: &App, file: AttachmentId, query: &Query) -> Outcome<Option<UserId>> {
    let user = query.get::<UserId>("user", "the id of a person")?;
    let expires = query.get::<i64>("expires", "seconds since 1970")?;
    let Some(given) = query.text("signature") else { return Ok(None) };
    let forged = || Refusal::new(Code::Forbidden, "This link is not one of this server's.");
    let given = hex::decode(given).map_err(|_| forged())?;
    let (Some(user), Some(expires)) = (user, expires) else { return Err(forged()) };
    if !bool::from(signature(app, file, user, expires)[..].ct_eq(&given[..])) {
        return Err(forged());
    }
    if Timestamp::from_millis(expires.saturating_mul(1_000)) <= app.now() {
        return Err(Refusal::new(Code::LinkExpired, "Load the message again: its files have new links then."));
    }
    Ok(Some(user))
}

fn signature(app: &App, file: AttachmentId, reader: UserId, expires: i64) -> [u8; 32] {
    app.secrets.mac("attachment link", &[file.0.as_bytes(), reader.0.as_bytes(), &expires.to_be_bytes()])
}
