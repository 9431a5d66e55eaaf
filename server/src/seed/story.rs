//! What the demo's people want, agreed on and wrote. Times count back from the day of seeding.

pub(super) const CLIENT: &str = "client@demo.test";
pub(super) const PROVIDER: &str = "provider@demo.test";
pub(super) const PASSWORD: &str = "parley-demo";

/// Who wrote a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Client,
    Provider,
}

/// One message of a history.
pub(super) struct Line {
    pub(super) by: By,
    /// Days before today.
    pub(super) days_ago: u64,
    /// Time of that day, UTC.
    pub(super) at: (u64, u64),
    pub(super) text: &'static str,
}

const fn line(by: By, days_ago: u64, at: (u64, u64), text: &'static str) -> Line {
    Line { by, days_ago, at, text }
}

pub(super) const OPEN_TITLE: &str = "Measured drawings for the boathouse extension";
pub(super) const OPEN_DESCRIPTION: &str = "\
We want to extend the boathouse at Harrow Quay by one bay towards the slipway and need a measured survey before the \
planning application goes in.

What we have: the 1987 plans (scanned, not to scale) and a drainage sketch from the last repair.
What we need: floor plans, two elevations and one long section at 1:50, levels tied to the quay edge, and a short note \
on the condition of the south wall.

The site is open on weekday mornings; somebody is always there until noon.";
pub(super) const OPEN_SCOPE: &str = "\
1. Measured survey on site, one day, two people (total station and hand measurement of the interior).
2. Floor plans of both levels, east and south elevations, one long section, all at 1:50, as PDF and DWG.
3. Levels tied to the quay edge and to the benchmark at the harbour office.
4. Condition note on the south wall, two pages with photographs.
5. One round of corrections after your review.

Not included: structural calculations, soil investigation, fees of the planning authority.";

pub(super) const ACTIVE_TITLE: &str = "Brand and booking site for Aldous & Finch";
pub(super) const ACTIVE_DESCRIPTION: &str = "\
Aldous & Finch restores small wooden boats. We outgrew our one-page site: people ask by phone what they could see for \
themselves, and winter berths are booked on paper. We look for somebody who takes the identity a step further and \
builds a site with a booking form that our yard can keep up to date itself.";
pub(super) const ACTIVE_SCOPE: &str = "\
1. Identity: wordmark in two weights, colour set, one-page guide.
2. Site of six pages (home, restoration, berths, yard, journal, contact), responsive, in English and German.
3. Booking of winter berths: calendar of 24 berths, request form, confirmation by e-mail, list for the office.
4. Editing by the yard without help; one session of introduction by video.
5. Two rounds of corrections for the design, one for the build. Hand-over of all sources.";

pub(super) const PAST_TITLE: &str = "Photo series of the 2025 launch day";
pub(super) const PAST_DESCRIPTION: &str =
    "A day of photographs at the yard: the launch of the cutter Wren, the crew, the guests, details of the work.";
pub(super) const PAST_SCOPE: &str = "\
1. One day on site, 9:00 to 17:00.
2. 60 edited photographs in full resolution, 20 of them cropped for the site.
3. Use for the web, print and press without limit of time.";

use By::{Client, Provider};

/// The active project's conversation.
pub(super) const ACTIVE_LINES: &[Line] = &[
    line(
        Provider,
        9,
        (8, 12),
        "Good morning Maren, thanks for the quick acceptance. I'd start with the wordmark so that everything else can lean on it. Could you send me whatever you have of the old signage?",
    ),
    line(
        Client,
        9,
        (8, 40),
        "Morning Tomas! The painted sign over the gate is the oldest thing we have, about 1950. I photographed it straight on yesterday, it's really just brushed capitals.",
    ),
    line(Client, 9, (8, 41), "My grandfather painted it, so if some of that hand survives I won't complain."),
    line(
        Provider,
        9,
        (9, 5),
        "That is better than any brief. The way the A leans into the L is worth keeping. I'll draw two directions: one close to the brush, one cleaned up.",
    ),
    line(
        Provider,
        7,
        (15, 30),
        "First drawings are done. Direction A keeps the brush endings, direction B has the same proportions with plain ends. At 14 px on the phone B holds, A starts to fill in.",
    ),
    line(
        Client,
        7,
        (16, 2),
        "I showed both to Joan without saying a word and she picked B for the letterhead and A for the sail bags. So… both?",
    ),
    line(
        Provider,
        7,
        (16, 10),
        "That works nicely: A for anything larger than a hand, B for everything else. It's within the scope, the guide names exactly two weights.",
    ),
    line(Client, 7, (16, 12), "Then that's settled. You've made my week."),
    line(
        Provider,
        6,
        (9, 20),
        "On the berths: the office list has 24, but numbers 9 and 10 seem to be one long berth for the cutter. Should the calendar show them as one?",
    ),
    line(Client, 6, (11, 47), "Yes, as one, and only bookable by phone. If somebody clicks it they should see why."),
    line(
        Provider,
        6,
        (11, 55),
        "Understood: shown, not bookable, with your sentence next to it. What is the sentence?",
    ),
    line(
        Client,
        6,
        (12, 30),
        "\"Berth 9/10 is home to Wren from October to April. Ring the yard if you need a long berth.\"",
    ),
    line(
        Provider,
        4,
        (8, 5),
        "The berth calendar stands. You can click through October to April on the preview; requests arrive in a list with name, boat, length and the weeks asked for.",
    ),
    line(
        Client,
        4,
        (9, 33),
        "Just tried it on the phone in the shed, with gloves on. Works! Two things:\n– the length should accept feet as well, half our people think in feet\n– can the office see at a glance which requests are older than two days?",
    ),
    line(
        Provider,
        4,
        (9, 41),
        "Feet: yes, I convert and show both. Old requests: I'll sort them to the top and set the age in bold. No colours, your office printer is black and white, isn't it?",
    ),
    line(Client, 4, (9, 44), "It is, and it will outlive us all."),
    line(
        Provider,
        3,
        (17, 20),
        "German texts: I have home, berths and contact from you. Restoration and the journal are still missing.",
    ),
    line(
        Client,
        3,
        (18, 5),
        "Joan's sister translates, she promised them for the weekend. If they are late, we go live with the English ones and a note.",
    ),
    line(Provider, 3, (18, 9), "Good plan, nothing depends on them."),
    line(
        Client,
        2,
        (10, 15),
        "One question about money, just so that I tell our bookkeeper the right thing: the price is fixed, also if we use the second round of corrections?",
    ),
    line(
        Provider,
        2,
        (10, 22),
        "Fixed, both rounds are in it. You see the agreed terms beside this conversation, they can't be changed by either of us.",
    ),
    line(Client, 2, (10, 24), "Perfect, that is what I told her."),
    line(
        Provider,
        1,
        (14, 2),
        "The editing part is ready for you. I'd like to show you how to add a journal entry, it takes fifteen minutes by video. Tomorrow between 9 and 11?",
    ),
    line(Client, 1, (14, 30), "Tomorrow after half past nine is fine. Call me here, I'll be at the desk."),
    line(
        Provider,
        1,
        (14, 31),
        "I will. Have a photograph at hand that you'd like to publish, then the first entry is real.",
    ),
    line(Client, 1, (16, 48), "I have just the one: Wren on the slip with the new planks, before the paint."),
    line(
        Provider,
        0,
        (7, 15),
        "Lovely. Corrections of the first round are on the preview too, seven of seven. Talk to you in a bit.",
    ),
];

/// The past project's conversation.
pub(super) const PAST_LINES: &[Line] = &[
    line(Client, 64, (9, 0), "The launch is set for the 18th, high water at 13:40. Could you be here from nine?"),
    line(Provider, 64, (9, 25), "I'll be there at half past eight to see the light. Rain plan?"),
    line(Client, 64, (9, 31), "The shed doors open to the south, and boats don't mind rain."),
    line(
        Provider,
        52,
        (18, 40),
        "All 60 are edited. My favourite is number 23, your father with his hand on the stem.",
    ),
    line(
        Client,
        52,
        (19, 2),
        "We all cried a little at number 23. Thank you, Tomas. I'm closing the project with the happiest of clicks.",
    ),
];
