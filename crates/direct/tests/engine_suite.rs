//! The direct engine passes what every engine has to pass.

use std::net::{IpAddr, Ipv4Addr};

use parley_call::{
    Credentials, EnginePorts, MediaEngine, Token, engine_suite,
    suite::{Fixture, Side},
};
use parley_direct::{BindAddresses, DirectEngine, DirectOptions};
use parley_domain::AgoraUid;

struct Direct;

impl Fixture for Direct {
    const CHECKS_TOKENS: bool = false;

    fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine> {
        let addresses = BindAddresses::Only(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        Box::new(DirectEngine::new(ports, DirectOptions { addresses, ..DirectOptions::default() }))
    }

    fn credentials(&self, side: Side) -> Credentials {
        let (one, two) = (AgoraUid::new(1_001).expect("above 0"), AgoraUid::new(2_002).expect("above 0"));
        let (uid, peer) = match side {
            Side::A => (one, two),
            Side::B => (two, one),
        };
        Credentials {
            app_id: "0123456789abcdef0123456789abcdef".to_owned(),
            channel: "suite".to_owned(),
            uid,
            peer,
            token: Token("007unchecked".to_owned()),
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        }
    }
}

engine_suite!(Direct);
