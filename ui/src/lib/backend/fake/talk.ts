/** Who says it and how many minutes after what was said before. */
export type Line = readonly [who: 'me' | 'other', minutesLater: number, text: string];

/** A reading room's signs: the conversation that is open first. */
export const SIGNS: readonly Line[] = [
  ['other', 0, 'Thank you for accepting. I have the floor plans from the request; could you also send the fire exits?'],
  ['me', 42, 'They are on their way to you by post, the building office only has paper. Should arrive Thursday.'],
  ['other', 6, 'Paper is fine. I’ll trace them.'],
  ['other', 1, 'One question ahead: are the shelf numbers going to change when the annex opens?'],
  [
    'me',
    18,
    'Yes, from 400 upwards. We would rather have shelf ends that we can relabel ourselves than order new signs every year.',
  ],
  ['other', 9, 'Then I’d go for a rail with an exchangeable strip. It costs about the same as the engraved ones.'],
  ['me', 3, 'Good. Please go that way.'],
  [
    'other',
    60 * 26,
    'Plans have arrived. The stairwell is narrower than in the drawings I had, 1.14 m instead of 1.30.',
  ],
  ['other', 2, 'So the hanging sign there becomes a wall sign. Same text, same size of letters.'],
  ['me', 75, 'Fine by me. Will it still be readable from the first landing?'],
  ['other', 12, 'From 11 metres, yes. Letters are 64 mm. I’ll put a paper mock-up there when I visit.'],
  ['me', 60 * 22, 'Could the visit be next Tuesday? We are closed in the morning, so nobody will be in your way.'],
  ['other', 14, 'Tuesday at 9 works.'],
  ['me', 2, 'I’ll be at the side door. Ring the bell marked “Lending”.'],
  [
    'other',
    60 * 44,
    'Here is what came out of the visit:\n\n1. Mock-ups stay up until Friday, please ask your readers\n2. The arrow at the lifts should point back, not left\n3. The strip for shelf ends: 38 mm high, 210 mm long, matt',
  ],
  ['me', 31, 'The lift arrow confused two people this morning already, so yes, back.'],
  ['me', 2, 'Colleagues like the strips. Can we have 40 spare ones?'],
  ['other', 8, 'Forty spare ones are included in the price, I planned for sixty.'],
  [
    'me',
    60 * 19,
    'The readers’ notes are in. Nobody had trouble with the stairwell sign, three asked where the toilets are.',
  ],
  ['other', 25, 'Everybody always asks that. I’ll add one sign at the lending desk, it was in the scope anyway.'],
  ['other', 1, 'Proofs for all 24 signs will be with you tomorrow before noon.'],
  ['me', 4, 'Perfect, thank you.'],
  [
    'other',
    60 * 17,
    'Proofs are ready. I have gone through every one of them twice, but please check the room names yourself.',
  ],
  [
    'other',
    3,
    'If you have ten minutes, let’s go through the open ones by video. I can hold the samples into the camera.',
  ],
];

export const BOOKING: readonly Line[] = [
  ['me', 0, 'Hello Priya, the terms are locked now. When would you like to start?'],
  ['other', 95, 'Hello Helena. On Monday. I’ll begin with the calendar, since everything else hangs on it.'],
  ['me', 12, 'The kiln is out of use on the second Wednesday of each month, nobody can book it then.'],
  ['other', 30, 'Noted. That will be a rule you can change yourselves, not something in the code.'],
  ['other', 60 * 28, 'First version is on the test address. You can book, move and cancel. Payment comes next week.'],
  ['me', 60 * 3, 'Looks good on my phone. The button to cancel is very close to the one to move.'],
  ['other', 40, 'True. I’ll put them apart and ask once more before cancelling.'],
];

export const REPORT: readonly Line[] = [
  ['other', 0, 'مرحبًا هيلينا، أرسلت النسخة الأولى من الصفحات ٨ إلى ١٥.'],
  ['me', 50, 'Thank you, Laila. The tables read well from right to left. Page 12 still has the English date.'],
  ['other', 20, 'شكرًا، سأصحح التاريخ اليوم.'],
];

export const HANDBOOK: readonly Line[] = [
  [
    'other',
    0,
    'Guten Tag, the glossary has 640 entries so far. Please confirm “Pressenstößeldämpfungszylinderdichtungssatz” before I use it 31 times: https://glossary.example/terms/pressenstoesseldaempfungszylinderdichtungssatz',
  ],
  ['me', 64, 'Our technician says “ram cushion cylinder seal kit”. Please use that one.'],
  ['other', 15, 'Excellent. Chapter 4 follows on Friday.'],
];

/** What fills the months before, so that there is something to scroll to. */
export const EARLIER: readonly Line[] = [
  ['me', 60 * 9, 'Good morning. Any news from the workshop?'],
  ['other', 22, 'The aluminium comes on Wednesday. Until then I draw.'],
  ['me', 7, 'All right.'],
  ['other', 60 * 20, 'Aluminium is here. The colour is a touch warmer than the sample, which suits the oak.'],
  ['other', 2, 'I’ll bring a piece when I visit.'],
  ['me', 35, 'Please do. Our director would like to see it beside the shelves.'],
  ['other', 60 * 30, 'Quick check: “Reading room” or “Reading Room” on the signs?'],
  ['me', 5, 'Small r. We follow the house style: capitals only for names.'],
  ['other', 3, 'Good, that’s what I have.'],
];

/** What the other side answers in the demonstration. */
export const ANSWERS: readonly string[] = [
  'Good, I’ll do that.',
  'Understood. Give me until tomorrow noon.',
  'That fits the scope, no change to the price.',
  'Shall we talk about it for five minutes? A call is quicker here.',
];
