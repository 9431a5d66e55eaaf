//! Events come to one of a fixed set of functions, so there is a limit. Alone in its file: it takes all of them.
#![cfg(target_os = "linux")]

#[path = "common/iris_standin.rs"]
mod iris_standin;

use std::sync::Arc;

use iris_standin::World;
use parley_agora::iris::{EventHandler, Incoming, IrisError, Listener};

struct Deaf;

impl Listener for Deaf {
    fn on_event(&self, _event: &Incoming<'_>) {}
}

#[test]
fn one_more_handler_than_there_is_room_for_is_refused() {
    let world = World::new();
    let copy = world.copy();
    let listener: Arc<dyn Listener> = Arc::new(Deaf);
    let made = || EventHandler::create(&copy.library, &listener);
    let mut handlers: Vec<EventHandler> = (0..16).map(|_| made().expect("made")).collect();
    assert!(matches!(made(), Err(IrisError::TooMany)));
    handlers.swap_remove(3);
    handlers.push(made().expect("made in the place that is free again"));
    assert!(matches!(made(), Err(IrisError::TooMany)));
}
