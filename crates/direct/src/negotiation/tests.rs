use proptest::prelude::*;

use super::*;

/// Both sides, what is on its way between them, and which round's path each of them has.
struct World {
    now: Instant,
    sides: [Negotiation; 2],
    on_the_way: [VecDeque<Message>; 2],
    paths: [Option<(u32, bool)>; 2],
    appeared: [u32; 2],
    gone: [u32; 2],
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let side = |name: &str, offers| {
            Negotiation::new(SessionId::try_from(name.to_owned()).unwrap(), offers, Tracks::default(), now)
        };
        Self {
            now,
            sides: [side("a1", true), side("b1", false)],
            on_the_way: Default::default(),
            paths: [None, None],
            appeared: [0, 0],
            gone: [0, 0],
        }
    }

    fn rejoin(&mut self, at: usize, name: &str) {
        let id = SessionId::try_from(name.to_owned()).unwrap();
        self.sides[at] = Negotiation::new(id, at == 0, Tracks::default(), self.now);
        self.paths[at] = None;
    }

    fn poll(&mut self, at: usize) {
        let steps = self.sides[at].poll(self.now);
        self.carry_out(at, steps);
    }

    fn carry_out(&mut self, at: usize, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Send(message) => self.on_the_way[1 - at].push_back(message),
                Step::MakeOffer { round } => {
                    self.paths[at] = Some((round, false));
                    let steps = self.sides[at].on_offer_made(round, format!("offer {round}"), self.now);
                    self.carry_out(at, steps);
                }
                Step::MakeAnswer { round, sdp } => {
                    assert_eq!(sdp, format!("offer {round}"));
                    self.paths[at] = Some((round, true));
                    let steps = self.sides[at].on_answer_made(round, format!("answer {round}"), self.now);
                    self.carry_out(at, steps);
                }
                Step::Accept { round, sdp } => {
                    assert_eq!((self.paths[at], sdp), (Some((round, false)), format!("answer {round}")));
                    self.paths[at] = Some((round, true));
                }
                Step::PeerAppeared => {
                    self.appeared[at] += 1;
                    self.paths[at] = None;
                }
                Step::PeerGone => {
                    self.gone[at] += 1;
                    self.paths[at] = None;
                }
                Step::AddCandidate { .. } | Step::PeerTracks(_) => {}
            }
        }
    }

    fn deliver(&mut self, at: usize) -> bool {
        let Some(message) = self.on_the_way[at].pop_front() else { return false };
        let steps = self.sides[at].on_message(message, self.now);
        self.carry_out(at, steps);
        true
    }

    fn is_connected(&self) -> bool {
        matches!(self.paths, [Some((a, true)), Some((b, true))] if a == b)
    }

    /// Delivers everything and lets time pass until both have the same path.
    fn settle(&mut self) {
        for _ in 0..200 {
            while self.deliver(0) || self.deliver(1) {}
            if self.is_connected() {
                self.sides.iter_mut().for_each(Negotiation::on_connected);
                return;
            }
            self.now += Duration::from_millis(250);
            self.poll(0);
            self.poll(1);
        }
        panic!("no path: {:?} {:?}", self.paths, [&self.sides[0].stage, &self.sides[1].stage]);
    }
}

#[test]
fn either_may_be_first() {
    for first in [0, 1] {
        let mut world = World::new();
        world.poll(first);
        // What the first one says before the other is there is lost.
        world.on_the_way = Default::default();
        world.now += Duration::from_millis(300);
        world.poll(1 - first);
        let begun = world.now;
        world.settle();
        assert!(world.now - begun < Duration::from_millis(500), "the late one's hello is answered at once");
    }
}

#[test]
fn a_message_for_an_earlier_session_is_ignored() {
    let mut world = World::new();
    world.poll(0);
    world.poll(1);
    world.settle();
    let id = |name: &str| SessionId::try_from(name.to_owned()).unwrap();
    let before = world.sides[1].ignored_count();
    for body in [
        Body::Offer { round: 99, sdp: String::new() },
        Body::Answer { round: 1, sdp: String::new() },
        Body::Candidate { round: 1, candidate: String::new() },
        Body::Restart { round: 1 },
        Body::Bye,
    ] {
        let late = Message::new(id("a1"), Some(id("b0")), body.clone());
        assert_eq!(world.sides[1].on_message(late, world.now), []);
        let own = Message::new(id("b1"), Some(id("b1")), body);
        assert_eq!(world.sides[1].on_message(own, world.now), []);
    }
    assert_eq!(world.sides[1].ignored_count(), before + 10);
}

#[test]
fn a_rejoin_of_either_side_makes_a_new_path() {
    for at in [0, 1] {
        let mut world = World::new();
        world.poll(0);
        world.poll(1);
        world.settle();
        world.rejoin(at, "c1");
        world.poll(at);
        world.settle();
        assert_eq!(world.appeared[1 - at], 2);
    }
}

#[test]
fn a_late_hello_of_an_earlier_session_does_not_end_the_path() {
    let mut world = World::new();
    world.poll(0);
    let late = world.on_the_way[1][0].clone();
    world.poll(1);
    world.settle();
    world.rejoin(0, "c1");
    world.poll(0);
    world.settle();
    assert_eq!(world.sides[1].on_message(late, world.now), []);
    assert!(world.is_connected());
}

#[test]
fn a_lost_path_is_made_anew_whoever_notices() {
    for at in [0, 1] {
        let mut world = World::new();
        world.poll(0);
        world.poll(1);
        world.settle();
        world.paths = [None, None];
        let steps = world.sides[at].on_disconnected(world.now);
        world.carry_out(at, steps);
        world.settle();
        assert!(world.paths[0].unwrap().0 >= 2);
    }
}

#[test]
fn a_bye_is_told_once_and_the_next_join_is_welcome() {
    let mut world = World::new();
    world.poll(0);
    world.poll(1);
    world.settle();
    let bye = world.sides[0].bye().expect("there is someone to say it to");
    for _ in 0..2 {
        world.on_the_way[1].push_back(bye.clone());
    }
    while world.deliver(1) {}
    assert_eq!(world.gone, [0, 1]);
    world.rejoin(0, "c1");
    world.poll(0);
    world.settle();
}

#[test]
fn an_offer_that_can_not_be_used_is_taken_again_when_it_is_repeated() {
    let mut world = World::new();
    world.poll(0);
    world.poll(1);
    world.settle();
    world.sides[1].on_refused(1);
    let offer = Body::Offer { round: 1, sdp: "offer 1".to_owned() };
    let id = |name: &str| SessionId::try_from(name.to_owned()).unwrap();
    let steps = world.sides[1].on_message(Message::new(id("a1"), Some(id("b1")), offer), world.now);
    assert!(matches!(steps[..], [Step::MakeAnswer { round: 1, .. }]), "{steps:?}");
}

proptest! {
    /// Whatever is lost, doubled, late, or said while one side joins again: once messages arrive, a path is made.
    #[test]
    fn every_disorder_ends_in_a_path(plan in prop::collection::vec((0..2_usize, 0..8_u8), 0..60)) {
        let mut world = World::new();
        let mut names = 2;
        for (at, what) in plan {
            match what {
                0 | 1 => drop(world.deliver(at)),
                2 => drop(world.on_the_way[at].pop_front()),
                3 => {
                    if let Some(message) = world.on_the_way[at].front().cloned() {
                        world.on_the_way[at].push_back(message);
                    }
                }
                4 => {
                    if let Some(message) = world.on_the_way[at].pop_front() {
                        world.on_the_way[at].push_back(message);
                    }
                }
                5 => {
                    names += 1;
                    world.rejoin(at, &format!("x{names}"));
                }
                6 => {
                    world.paths[at] = None;
                    let steps = world.sides[at].on_disconnected(world.now);
                    world.carry_out(at, steps);
                }
                _ => {
                    world.now += Duration::from_millis(700);
                    world.poll(at);
                }
            }
        }
        world.settle();
    }
}
