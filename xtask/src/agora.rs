//! Where a run over Agora's interface takes the library from: the person's own, or the stand-in that is built here.

use std::{ffi::OsString, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{Engine, environment::Environment, shell, steps::Steps, workspace::Workspace};

/// Where the library lies for every program that we start, as for those that a person starts.
const SDK_DIR: &str = "AGORA_SDK_DIR";

/// A library, and what the programs of a run are told about it.
pub(crate) struct Library {
    pub(crate) folder: PathBuf,
    /// For a person: what carries the calls.
    words: String,
    environment: Vec<(&'static str, OsString)>,
}

impl Library {
    /// What a run needs: nothing for the built-in engine. Tells a person what it is.
    pub(crate) fn of_run(
        engine: Engine,
        workspace: &Workspace,
        environment: &Environment,
        steps: &mut Steps,
    ) -> Result<Option<Self>> {
        if engine == Engine::Direct {
            return Ok(None);
        }
        let library = steps.step("Agora's library", || Self::ready(workspace, environment))?;
        eprintln!("      calls go over {}", library.words);
        Ok(Some(library))
    }

    /// The one in the folder of `AGORA_SDK_DIR`, else the stand-in.
    fn ready(workspace: &Workspace, environment: &Environment) -> Result<Self> {
        let Some(folder) = environment.agora_sdk.clone() else { return Self::stand_in(workspace) };
        if !environment.has_agora_credentials {
            bail!(
                "{SDK_DIR} names a library of Agora's; set AGORA_APP_ID and AGORA_APP_CERTIFICATE of your project too"
            );
        }
        let words = format!("the library in {}, and Agora's network by your App ID", folder.display());
        let environment = vec![(SDK_DIR, folder.clone().into_os_string())];
        Ok(Self { folder, words, environment })
    }

    /// Builds the stand-in and makes up an App ID and a certificate, which it checks every token against.
    pub(crate) fn stand_in(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.out("agora-standin");
        let mut build = Command::new(workspace.program("parley-agora-standin"));
        // Kept from our standard output, which holds a run's lines.
        shell::output(build.arg("gateway").arg(&folder)).context("the stand-in library can't be built")?;
        let [app_id, certificate] = [random_hex()?, random_hex()?].map(OsString::from);
        let environment = vec![
            (SDK_DIR, folder.clone().into_os_string()),
            ("AGORA_APP_ID", app_id.clone()),
            ("AGORA_APP_CERTIFICATE", certificate.clone()),
            ("PARLEY_STANDIN_APP_ID", app_id),
            ("PARLEY_STANDIN_CERTIFICATE", certificate),
            // Whatever it finds wrong in our calls ends the process.
            ("PARLEY_STANDIN_STRICT", "1".into()),
        ];
        let words = "a stand-in with Agora's interface, not Agora's library; nothing leaves this machine".to_owned();
        Ok(Self { folder, words, environment })
    }

    /// Tells a program, and whoever it starts.
    pub(crate) fn hand_to(&self, command: &mut Command) {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
