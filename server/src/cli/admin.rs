//! `admin`: what only somebody with a shell on the server's machine may do.

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use parley_domain::{FieldCheck, Role, User};
use parley_store::NewAccount;
use serde_json::json;

use super::print;
use crate::{App, AppState, config::Secret};

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make an administrator.
    Create(NewPassword),
    /// Approve a provider.
    Approve {
        /// The provider's address.
        #[arg(long)]
        email: String,
    },
    /// Set somebody's password and end that person's sign-ins.
    ResetPassword(NewPassword),
}

#[derive(Debug, Args)]
pub(super) struct NewPassword {
    /// Whose.
    #[arg(long)]
    email: String,
    /// The password; visible to everybody who can list processes, so better use a file or type it.
    #[arg(long, value_parser = |text: &str| Ok::<_, std::convert::Infallible>(Secret::new(text)))]
    password: Option<Secret>,
    /// A file whose first line is the password.
    #[arg(long, conflicts_with = "password")]
    password_file: Option<PathBuf>,
}

/// Runs one of them.
pub(super) async fn administrate(app: &AppState, command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::Create(who) => {
            let mut check = FieldCheck::new();
            let email = check.email("--email", &who.email);
            let password = ask_password(&who)?;
            check.password("password", password.expose());
            accept(check)?;
            let password_hash = app.passwords.hash(password.expose().to_owned()).await?;
            let account = NewAccount {
                email,
                password_hash,
                name: "Administrator".to_owned(),
                role: Role::Admin,
                time_zone: None,
            };
            let user = app.store.create_account(account, app.now()).await?;
            print(&json!({ "id": user.id, "role": user.role }))
        }
        AdminCommand::Approve { email } => {
            let user = find(app, &email).await?;
            if user.role != Role::Provider {
                bail!("{} is no provider", user.id);
            }
            let user = app.store.set_approval(user.id, true).await?;
            print(&json!({ "id": user.id, "approved": user.approved }))
        }
        AdminCommand::ResetPassword(who) => {
            let user = find(app, &who.email).await?;
            let password = ask_password(&who)?;
            let mut check = FieldCheck::new();
            check.password("password", password.expose());
            accept(check)?;
            let password_hash = app.passwords.hash(password.expose().to_owned()).await?;
            let ended = app.store.change_password(user.id, password_hash, None, app.now()).await?;
            print(&json!({ "id": user.id, "endedSessions": ended.len() }))
        }
    }
}

fn accept(check: FieldCheck) -> anyhow::Result<()> {
    check.finish().map_err(|errors| {
        let all: Vec<_> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
        anyhow::anyhow!(all.join("; "))
    })
}

async fn find(app: &App, email: &str) -> anyhow::Result<User> {
    let known = app.store.credentials_by_email(&email.trim().to_lowercase()).await?;
    known.map(|known| known.user).context("nobody has this address")
}

fn ask_password(who: &NewPassword) -> anyhow::Result<Secret> {
    if let Some(password) = &who.password {
        return Ok(password.clone());
    }
    let mut line = String::new();
    if let Some(path) = &who.password_file {
        let file = std::fs::File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
        io::BufReader::new(file).read_line(&mut line)?;
    } else if io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ").context("no password could be read")?;
        let second = rpassword::prompt_password("Once more: ").context("no password could be read")?;
        if first != second {
            bail!("the two passwords differ");
        }
        return Ok(Secret::new(first));
    } else {
        io::stdin().lock().read_line(&mut line)?;
    }
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}
