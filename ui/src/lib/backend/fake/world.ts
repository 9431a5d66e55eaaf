import type {
  Meeting,
  Message,
  MessageView,
  OfferCard,
  Person,
  Project,
  ProjectCard,
  ProjectsView,
} from '../../generated/types';
import { HELENA, INES, LAILA, PRIYA, TOMAS, WOLFGANG, ago, inDays } from './people';
import { BOOKING, EARLIER, HANDBOOK, type Line, REPORT, SIGNS } from './talk';

/** Everything that the demonstration's server would hold. */
export interface World {
  projects: ProjectsView;
  talks: Map<string, MessageView[]>;
}

export function emptyWorld(): World {
  return { projects: { offers: [], active: [], past: [], loaded: true }, talks: new Map() };
}

export function demoWorld(): World {
  const world = emptyWorld();
  const earlier = Array.from({ length: 14 }, () => EARLIER).flat();
  addProject(world, 'signs', TOMAS, {
    title: 'Signs for the new reading room',
    amountMinor: 485_000,
    scope:
      'Twenty-four signs for the reading room, the stairwell and the lending desk: design, two rounds of proofs, production in anodised aluminium, mounting on site.\n\nShelf ends get a rail with an exchangeable strip; sixty strips are included.\n\nNot included: signs for the annex, electrical work.',
    deadline: inDays(19),
    talk: [...earlier, ...SIGNS],
    lastMinutesAgo: 7,
    unread: 2,
    meetings: [
      ['me', 60 * 24 * 6, 'ended', 1240],
      ['other', 60 * 26, 'ended', 734],
      ['other', 32, 'missed', null],
    ],
  });
  addProject(world, 'booking', PRIYA, {
    title: 'Booking page for the ceramics workshop',
    amountMinor: 320_000,
    scope: 'A page on which members book wheel and kiln, with a calendar, rules and payment.',
    deadline: inDays(41),
    talk: BOOKING,
    lastMinutesAgo: 60 * 20,
    unread: 0,
    meetings: [['me', 60 * 24, 'declined', null]],
  });
  addProject(world, 'report', LAILA, {
    title: 'Annual report, English and Arabic',
    amountMinor: 690_050,
    scope: 'Layout of 48 pages in two languages, print and screen.',
    deadline: inDays(4),
    talk: REPORT,
    lastMinutesAgo: 60 * 52,
    unread: 0,
    meetings: [],
  });
  addProject(world, 'handbook', WOLFGANG, {
    title:
      'Translation of the maintenance handbook for the hydraulic presses (German, Polish, Czech), with glossary and a technician’s review',
    amountMinor: 12_480_000,
    scope: 'About 210,000 words from English, a glossary agreed before chapter 2, one review by a technician.',
    deadline: inDays(-2),
    talk: HANDBOOK,
    lastMinutesAgo: 60 * 24 * 5,
    unread: 0,
    meetings: [],
  });
  const stall = addProject(world, 'stall', INES, {
    title: 'Stall for the autumn fair',
    amountMinor: 215_000,
    scope: 'Design and building of a stall of 3 × 2 m, return of the parts after the fair.',
    deadline: inDays(-60),
    talk: [
      ['other', 0, 'Everything is back in the store. It was a good fair.'],
      ['me', 15, 'It was. Thank you, Ines.'],
    ],
    lastMinutesAgo: 60 * 24 * 55,
    unread: 0,
    meetings: [],
  });
  stall.project.status = 'COMPLETED';
  world.projects.active = world.projects.active.filter((card) => card !== stall);
  world.projects.past = [stall];
  world.projects.offers = [demoOffer()];
  return world;
}

function demoOffer(): OfferCard {
  return {
    request: {
      id: 'request-products',
      clientId: HELENA.id,
      title: 'Photographs of eleven ceramic pieces',
      description:
        'Eleven pieces, each from the front and from above, on white, for the shop and for print. We can bring them to you or you come to the workshop.',
      budget: { amountMinor: 160_000, currency: 'GBP' },
      deadline: inDays(30),
      status: 'OPEN',
      createdAt: ago(60 * 24 * 3),
    },
    proposal: {
      id: 'proposal-products',
      requestId: 'request-products',
      providerId: INES.userId,
      providerName: INES.name,
      price: { amountMinor: 142_000, currency: 'GBP' },
      scope:
        'One day of photography in your workshop with my own lights. Twenty-two pictures, retouched, as TIFF for print and JPEG for the shop.\n\nTwo pieces may be photographed again free of charge if you are not content. Use in shop, print and press without limit of time.',
      deadline: inDays(24),
      expiresAt: inDays(5),
      status: 'PENDING',
      createdAt: ago(95),
    },
  };
}

interface Plan {
  title: string;
  amountMinor: number;
  scope: string;
  deadline: string;
  talk: readonly Line[];
  lastMinutesAgo: number;
  unread: number;
  meetings: readonly (readonly [
    by: 'me' | 'other',
    minutesAgo: number,
    reason: Meeting['endReason'],
    duration: number | null,
  ])[];
}

/** Adds an active project with its history; the newest of the list is the first one added. */
export function addProject(world: World, id: string, other: Person, plan: Plan): ProjectCard {
  const conversationId = `conversation-${id}`;
  const project: Project = {
    id: `project-${id}`,
    requestId: `request-${id}`,
    proposalId: `proposal-${id}`,
    clientId: HELENA.id,
    providerIds: [other.userId],
    title: plan.title,
    price: { amountMinor: plan.amountMinor, currency: 'GBP' },
    scope: plan.scope,
    deadline: plan.deadline,
    termsHash: hashOf(plan.title),
    status: 'ACTIVE',
    conversationId,
    createdAt: ago(60 * 24 * 30),
  };
  const talk = talkOf(conversationId, other, plan);
  world.talks.set(conversationId, talk);
  const last = talk.at(-1) ?? null;
  const card: ProjectCard = {
    project,
    other,
    lastMessage: last,
    unread: plan.unread,
    lastReadSeq: talk.length - plan.unread,
    activeMeeting: null,
    nextMeeting: null,
    pastMeetings: plan.meetings.map((row, index) => pastMeeting(project, other, index, ...row)),
    updatedAt: last?.createdAt ?? project.createdAt,
  };
  world.projects.active = [...world.projects.active, card];
  return card;
}

function talkOf(conversationId: string, other: Person, plan: Plan): MessageView[] {
  let at = Date.now() - plan.lastMinutesAgo * 60_000;
  const times = new Array<number>(plan.talk.length);
  for (let index = plan.talk.length - 1; index >= 0; index -= 1) {
    times[index] = at;
    at -= (plan.talk[index]?.[1] ?? 0) * 60_000;
  }
  return plan.talk.map(([who, , text], index) => {
    const createdAt = new Date(times[index] ?? at).toISOString();
    const senderId = who === 'me' ? HELENA.id : other.userId;
    return rowView(conversationId, index + 1, senderId, text, createdAt);
  });
}

/** A message that the server has; own ones were read. */
export function rowView(
  conversationId: string,
  seq: number,
  senderId: string,
  content: string,
  createdAt: string,
): MessageView {
  const message: Message = {
    id: `${conversationId}-${seq}`,
    seq,
    conversationId,
    senderId,
    type: 'text',
    content,
    attachments: [],
    replyToId: null,
    clientId: null,
    createdAt,
    editedAt: null,
    deletedAt: null,
    readBy: [],
  };
  const own = senderId === HELENA.id;
  return {
    message,
    conversationId,
    clientId: null,
    senderId,
    content,
    createdAt,
    delivery: own ? 'read' : 'received',
    readAt: own ? new Date(Date.parse(createdAt) + 4 * 60_000).toISOString() : null,
    error: null,
  };
}

export function pastMeeting(
  project: Project,
  other: Person,
  index: number,
  by: 'me' | 'other',
  minutesAgo: number,
  endReason: Meeting['endReason'],
  duration: number | null,
): Meeting {
  const createdAt = ago(minutesAgo);
  const endedAt = new Date(Date.parse(createdAt) + (duration ?? 45) * 1000).toISOString();
  return {
    id: `meeting-${project.id}-${index}`,
    projectId: project.id,
    hostId: by === 'me' ? HELENA.id : other.userId,
    guestId: by === 'me' ? other.userId : HELENA.id,
    channelName: `demo-${project.id}-${index}`,
    type: 'instant',
    status: duration === null ? 'CANCELLED' : 'COMPLETED',
    engine: 'direct',
    scheduledAt: null,
    acceptedAt: duration === null ? null : createdAt,
    startedAt: duration === null ? null : createdAt,
    endedAt,
    duration,
    endReason,
    createdAt,
    updatedAt: endedAt,
  };
}

/** Looks like a SHA-256 and is the same every time; it proves nothing, this is a demonstration. */
function hashOf(text: string): string {
  let state = 0x811c9dc5;
  let hash = '';
  for (let index = 0; hash.length < 64; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index % text.length), 0x01000193) >>> 0;
    hash += (state ^ (state >>> 13)).toString(16).slice(-4).replace('-', '0').padStart(4, '0');
  }
  return hash;
}
