//! The mail server: which one, and handing a mail to it.

use std::{fmt, net::IpAddr, time::Duration};

use http::Uri;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use crate::config::Secret;

/// The mail server and how to speak to it. `Debug` shows neither addresses nor credentials.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(Secret, Secret)>,
    /// Whom mails are from.
    pub(crate) from: Mailbox,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({}:{}, {:?})", self.host, self.port, self.security)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// TLS from the first byte (`smtps://`).
    Tls,
    /// STARTTLS before anything else is said (`smtp://`); a server that does not offer it gets nothing.
    StartTls,
    /// None; on this machine only.
    Loopback,
}

/// The settings name no mail server that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// Not `smtp://` or `smtps://` with a host.
    #[error("smtp_url looks like smtps://mail.example.org or smtp://mail.example.org:587")]
    Url,
    /// The address would be shown wherever the settings are.
    #[error("smtp_url holds no user name and no password; give smtp_username and smtp_password")]
    CredentialsInUrl,
    /// Not an address.
    #[error("smtp_from is an address such as Parley <parley@example.org>")]
    From,
    /// One of the two without the other.
    #[error("mail needs both smtp_url and smtp_from")]
    Half,
    /// One of the two without the other.
    #[error("the mail server needs both smtp_username and smtp_password, or neither")]
    HalfCredentials,
}

/// The four settings as they were given.
#[derive(Default)]
pub(crate) struct SmtpSettings {
    pub(crate) url: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) username: Option<Secret>,
    pub(crate) password: Option<Secret>,
}

impl Smtp {
    /// The mail server of the settings; `None` if they name none.
    pub(crate) fn of(settings: SmtpSettings) -> Result<Option<Self>, SmtpError> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (url, from) = match (given(settings.url), given(settings.from)) {
            (Some(url), Some(from)) => (url, from),
            (None, None) if settings.username.is_none() && settings.password.is_none() => return Ok(None),
            _ => return Err(SmtpError::Half),
        };
        let credentials = match (settings.username, settings.password) {
            (Some(name), Some(password)) => Some((name, password)),
            (None, None) => None,
            _ => return Err(SmtpError::HalfCredentials),
        };
        let url: Uri = url.trim().parse().map_err(|_| SmtpError::Url)?;
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(SmtpError::CredentialsInUrl);
        }
        let host = url.host().map(|host| host.trim_matches(['[', ']']).to_owned()).filter(|host| !host.is_empty());
        let host = host.filter(|_| matches!(url.path(), "" | "/") && url.query().is_none()).ok_or(SmtpError::Url)?;
        let security = match url.scheme_str() {
            Some("smtps") => Security::Tls,
            Some("smtp") if is_loopback(&host) => Security::Loopback,
            Some("smtp") => Security::StartTls,
            _ => return Err(SmtpError::Url),
        };
        let port = url.port_u16().unwrap_or(match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Loopback => 25,
        });
        let from = from.trim().parse().map_err(|_| SmtpError::From)?;
        Ok(Some(Self { host, port, security, credentials, from }))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why a mail was not taken. Says nothing that a mail server said: its words may hold an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It will never take this mail for this recipient.
    #[error("the mail server refused it for good with {0}")]
    Refused(u16),
    /// It may take it later.
    #[error("the mail server answered {0}")]
    Answered(u16),
    /// It said nothing in time.
    #[error("the mail server did not answer in time")]
    TimedOut,
    /// No encrypted connection came about.
    #[error("no TLS connection to the mail server came about")]
    Tls,
    /// No connection, or it broke off.
    #[error("the mail server can't be reached or broke off")]
    Unreachable,
}

/// Hands mails to the mail server, each over a connection of its own.
pub(crate) struct Postman {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    patience: Duration,
}

impl Postman {
    /// `patience` is how long one mail may take, from connecting to the last answer.
    pub(crate) fn new(smtp: &Smtp, patience: Duration) -> Result<Self, Failure> {
        let tls = || TlsParameters::new(smtp.host.clone()).map_err(|_| Failure::Tls);
        let tls = match smtp.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::Loopback => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(tls)
            .timeout(Some(patience));
        if let Some((name, password)) = &smtp.credentials {
            transport = transport.credentials(Credentials::new(name.expose().to_owned(), password.expose().to_owned()));
        }
        Ok(Self { transport: transport.build(), patience })
    }

    /// Whether the mail server answers and takes the credentials.
    pub(crate) async fn try_connection(&self) -> Result<(), Failure> {
        match tokio::time::timeout(self.patience, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Failure::Unreachable),
            Ok(Err(error)) => Err(failure_of(&error)),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Hands one mail over. Once this is `Ok` the mail server is answerable for it.
    pub(crate) async fn hand_over(&self, letter: Message) -> Result<(), Failure> {
        match tokio::time::timeout(self.patience, self.transport.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure_of(&error)),
            Err(_) => Err(Failure::TimedOut),
        }
    }
}

fn failure_of(error: &lettre::transport::smtp::Error) -> Failure {
    match error.status().map(u16::from) {
        // RFC 5321 §4.2.3: there is no such mailbox, or not here. Other refusals may be the server's settings.
        Some(code @ (550 | 551 | 553)) => Failure::Refused(code),
        Some(code) => Failure::Answered(code),
        None if error.is_timeout() => Failure::TimedOut,
        None if error.is_tls() => Failure::Tls,
        None => Failure::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    fn of(url: &str, from: &str) -> Result<Option<Smtp>, SmtpError> {
        Smtp::of(SmtpSettings { url: Some(url.into()), from: Some(from.into()), ..SmtpSettings::default() })
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (url, port, security) in [
            ("smtps://mail.example.org", 465, Security::Tls),
            ("smtps://127.0.0.1", 465, Security::Tls),
            ("smtp://mail.example.org", 587, Security::StartTls),
            ("smtp://mail.example.org:25/", 25, Security::StartTls),
            ("smtp://127.0.0.1.example.org", 587, Security::StartTls),
            ("smtp://localhost:2525", 2525, Security::Loopback),
            ("smtp://[::1]", 25, Security::Loopback),
        ] {
            let smtp = of(url, "Parley <parley@example.org>").unwrap().unwrap();
            assert_eq!((smtp.port, smtp.security), (port, security), "{url}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_said_at_the_start() {
        assert_eq!(Smtp::of(SmtpSettings::default()).unwrap().map(drop), None);
        assert_eq!(of("", "  ").unwrap().map(drop), None);
        for (url, from, error) in [
            ("http://mail.example.org", "a@b.test", SmtpError::Url),
            ("mail.example.org:25", "a@b.test", SmtpError::Url),
            ("smtp://", "a@b.test", SmtpError::Url),
            ("smtp://mail.example.org/?tls=none", "a@b.test", SmtpError::Url),
            ("smtp://me:secret@mail.example.org", "a@b.test", SmtpError::CredentialsInUrl),
            ("smtp://mail.example.org", "nobody", SmtpError::From),
            ("smtp://mail.example.org", "a@b.test\r\nBcc: c@d.test", SmtpError::From),
            ("smtp://mail.example.org", "", SmtpError::Half),
        ] {
            assert_eq!(of(url, from).err(), Some(error), "{url} {from}");
        }
        let half = SmtpSettings {
            url: Some("smtp://localhost".into()),
            from: Some("a@b.test".into()),
            username: Some(Secret::new("me")),
            password: None,
        };
        assert_eq!(Smtp::of(half).err(), Some(SmtpError::HalfCredentials));
    }

    #[tokio::test]
    async fn a_server_without_starttls_hears_no_address_and_no_word() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut smtp = of(&format!("smtp://{}", listener.local_addr().unwrap()), "a@b.test").unwrap().unwrap();
        smtp.security = Security::StartTls;
        smtp.credentials = Some((Secret::new("me"), Secret::new("hush")));
        let heard = tokio::spawn(async move {
            let (line, _) = listener.accept().await.unwrap();
            let (read, mut write) = line.into_split();
            let mut read = BufReader::new(read).lines();
            write.write_all(b"220 mail.test\r\n").await.unwrap();
            let mut heard = Vec::new();
            while let Ok(Some(line)) = read.next_line().await {
                heard.push(line.split(' ').next().unwrap_or_default().to_owned());
                write.write_all(b"250 mail.test\r\n").await.unwrap();
            }
            heard
        });
        let letter = Message::builder().from(smtp.from.clone()).to("c@d.test".parse().unwrap());
        let letter = letter.body("words".to_owned()).unwrap();
        let postman = Postman::new(&smtp, Duration::from_secs(10)).unwrap();
        assert!(postman.hand_over(letter).await.is_err());
        let heard = heard.await.unwrap();
        assert!(heard.iter().all(|command| command == "EHLO" || command == "QUIT"), "{heard:?}");
    }

    #[test]
    fn nothing_personal_shows_in_the_settings() {
        let smtp = of("smtp://localhost", "Parley <parley@example.org>").unwrap();
        assert_eq!(format!("{smtp:?}"), "Some(Smtp(localhost:25, Loopback))");
    }
}
