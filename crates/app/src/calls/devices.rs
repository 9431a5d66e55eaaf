//! The devices of a call: opened and let go of as the person wishes, watched while they are open.

use std::sync::Arc;

use parley_domain::MeetingId;
use parley_media::{Microphone, Speaker};
use parley_protocol::{
    Code,
    app::{AppError, AppEvent, DeviceChoice, DevicesView},
};

use super::{Calls, Shared, running, spawn_detached, studio::OpenVideo, view::Wish};

/// The devices that a call holds open. Letting go of one waits for its thread, which a stuck driver can hold up: that
/// happens on a thread for blocking work and never under the call's lock.
#[derive(Default)]
pub(super) struct Devices {
    pub(super) video: Option<OpenVideo>,
    pub(super) microphone: Option<Microphone>,
    pub(super) speaker: Option<Speaker>,
}

impl Drop for Devices {
    fn drop(&mut self) {
        let open = (self.video.take(), self.microphone.take(), self.speaker.take());
        if open.0.is_some() || open.1.is_some() || open.2.is_some() {
            let_go(open);
        }
    }
}

fn let_go<T: Send + 'static>(device: T) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(device))),
        Err(_) => drop(device),
    }
}

impl Calls {
    /// Camera (or its stand-in) on or off.
    pub(crate) fn set_camera(&self, on: bool) -> Result<(), AppError> {
        let (meeting, wish) = {
            let mut current = self.0.lock();
            let call = running(&mut current)?;
            call.camera = Wish { wanted: on, opening: on, error: None };
            call.camera_wish += 1;
            let_go(call.open.video.take());
            call.session.set_camera(None);
            (call.meeting, call.camera_wish)
        };
        self.0.pictures.local().try_take();
        if on {
            spawn_detached(open_camera(Arc::clone(&self.0), meeting, wish));
        }
        self.0.refresh(meeting);
        Ok(())
    }

    /// Microphone on or off.
    pub(crate) fn set_microphone(&self, on: bool) -> Result<(), AppError> {
        let (meeting, wish) = {
            let mut current = self.0.lock();
            let call = running(&mut current)?;
            call.microphone = Wish { wanted: on, opening: on, error: None };
            call.microphone_wish += 1;
            let_go(call.open.microphone.take());
            call.session.set_microphone(None);
            (call.meeting, call.microphone_wish)
        };
        if on {
            spawn_detached(open_microphone(Arc::clone(&self.0), meeting, wish));
        }
        self.0.refresh(meeting);
        Ok(())
    }

    /// Whose picture the card stands in for.
    pub(crate) fn set_name(&self, name: &str) {
        self.0.studio.set_title(name);
    }

    pub(crate) async fn devices(&self) -> DevicesView {
        self.0.studio.devices().await
    }

    /// Takes other devices, in a running call at once.
    pub(crate) async fn choose(&self, choice: DeviceChoice) -> DevicesView {
        let before = self.0.studio.chosen();
        self.0.studio.choose(choice.clone());
        let wanted = self.0.lock().as_ref().map(|call| (call.meeting, call.camera.wanted, call.microphone.wanted));
        if let Some((meeting, camera, microphone)) = wanted {
            // Only a running call takes them now; an ended one refuses, which is right.
            if camera && before.camera != choice.camera {
                let _ = self.set_camera(true);
            }
            if microphone && before.microphone != choice.microphone {
                let _ = self.set_microphone(true);
            }
            if before.speaker != choice.speaker {
                spawn_detached(open_speaker(Arc::clone(&self.0), meeting));
            }
        }
        self.devices().await
    }
}

impl Shared {
    /// Notices devices that were unplugged.
    pub(super) fn check_devices(&self, meeting: MeetingId) {
        let mut current = self.lock();
        let Some(call) = current.as_mut().filter(|call| call.meeting == meeting) else { return };
        if let Some(error) = call.open.video.as_ref().and_then(OpenVideo::failure) {
            let_go(call.open.video.take());
            call.session.set_camera(None);
            call.camera = Wish { error: Some(error), ..Wish::default() };
        }
        if call.open.microphone.as_ref().is_some_and(Microphone::has_failed) {
            let_go(call.open.microphone.take());
            call.session.set_microphone(None);
            let error = AppError::new(Code::NoMicrophone, "The microphone is gone. Connect it and switch it on again.");
            call.microphone = Wish { error: Some(error), ..Wish::default() };
        }
        if call.open.speaker.as_ref().is_some_and(Speaker::has_failed) {
            let_go(call.open.speaker.take());
            drop(current);
            (self.tell)(AppEvent::Notice(AppError::new(
                Code::NoSpeaker,
                "The sound output is gone. Choose another one in Settings.",
            )));
        }
    }
}

async fn open_camera(shared: Arc<Shared>, meeting: MeetingId, wish: u64) {
    let opened = shared.studio.open_video().await;
    {
        let mut current = shared.lock();
        let Ok(call) = running(&mut current) else { return };
        if call.meeting != meeting || call.camera_wish != wish {
            return;
        }
        match opened {
            Ok(video) => {
                call.session.set_camera(Some(video.track()));
                call.view.source = video.kind;
                call.open.video = Some(video);
                call.camera.opening = false;
            }
            Err(error) => call.camera = Wish { error: Some(error), ..Wish::default() },
        }
    }
    shared.refresh(meeting);
}

async fn open_microphone(shared: Arc<Shared>, meeting: MeetingId, wish: u64) {
    let echo = match shared.lock().as_ref() {
        Some(call) => call.echo.clone(),
        None => return,
    };
    let opened = shared.studio.open_microphone(echo).await;
    {
        let mut current = shared.lock();
        let Ok(call) = running(&mut current) else { return };
        if call.meeting != meeting || call.microphone_wish != wish {
            return;
        }
        match opened {
            Ok(microphone) => {
                call.session.set_microphone(Some(microphone.blocks()));
                call.open.microphone = Some(microphone);
                call.microphone.opening = false;
            }
            Err(error) => call.microphone = Wish { error: Some(error), ..Wish::default() },
        }
    }
    shared.refresh(meeting);
}

pub(super) async fn open_speaker(shared: Arc<Shared>, meeting: MeetingId) {
    let sound = match shared.lock().as_mut() {
        Some(call) if call.meeting == meeting => {
            let_go(call.open.speaker.take());
            (call.session.remote_audio(), call.echo.clone())
        }
        _ => return,
    };
    match shared.studio.open_speaker(sound.0, sound.1).await {
        Ok(speaker) => {
            let mut current = shared.lock();
            if let Ok(call) = running(&mut current)
                && call.meeting == meeting
            {
                call.open.speaker = Some(speaker);
            }
        }
        Err(error) => (shared.tell)(AppEvent::Notice(error)),
    }
}
