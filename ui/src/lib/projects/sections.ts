import type { Meeting, OfferCard, ProjectCard, ProjectsView, UserId } from '../generated/types';
import { instant } from '../format/time';

/** Why a project waits for the person. */
export type Reason = 'unread' | 'missedCall' | 'unansweredMeeting';

export interface ListedProject {
  card: ProjectCard;
  reason: Reason | null;
}

export interface Sections {
  /** Offers that the person can accept. */
  offers: OfferCard[];
  /** Projects in which something waits for the person. */
  waiting: ListedProject[];
  /** Offers of the person's own that the other side has not answered. */
  sent: OfferCard[];
  active: ListedProject[];
  past: ListedProject[];
}

export interface Reading {
  me: UserId | null;
  /** When each project was last looked at, in milliseconds. */
  seenAt: Readonly<Record<string, number>>;
  search: string;
  /** The project that is being looked at stays where it was when it was opened: rows don't move under the hand. */
  opened: { id: string; waits: boolean } | null;
}

/** A call that nobody answered and that this person has not looked at since. */
export function missedCall(card: ProjectCard, me: UserId | null, seenAt: number): Meeting | null {
  const last = card.pastMeetings.at(-1);
  if (last?.endReason !== 'missed' || last.guestId !== me || last.endedAt === null) return null;
  return instant(last.endedAt) > seenAt ? last : null;
}

/** What the list shows where. */
export function sections(view: ProjectsView, reading: Reading): Sections {
  const wanted = reading.search.trim().toLocaleLowerCase();
  const projectFits = ({ project, other }: ProjectCard): boolean =>
    [project.title, other.name, project.scope].some((text) => text.toLocaleLowerCase().includes(wanted));
  const offerFits = ({ proposal, request }: OfferCard): boolean =>
    [request.title, proposal.providerName, proposal.scope].some((text) => text.toLocaleLowerCase().includes(wanted));

  const listed = view.active.filter(projectFits).map((card) => ({ card, reason: reasonOf(card, reading) }));
  const waits = ({ card, reason }: ListedProject): boolean =>
    card.project.id === reading.opened?.id ? reading.opened.waits : reason !== null;
  const offers = view.offers.filter(offerFits);
  return {
    offers: offers.filter(({ request }) => request.clientId === reading.me),
    waiting: listed.filter(waits),
    sent: offers.filter(({ request }) => request.clientId !== reading.me),
    active: listed.filter((project) => !waits(project)),
    past: view.past.filter(projectFits).map((card) => ({ card, reason: null })),
  };
}

function reasonOf(card: ProjectCard, { me, seenAt }: Reading): Reason | null {
  if (missedCall(card, me, seenAt[card.project.id] ?? 0) !== null) return 'missedCall';
  if (card.unread > 0) return 'unread';
  const next = card.nextMeeting;
  if (next !== null && next.guestId === me && next.acceptedAt === null) return 'unansweredMeeting';
  return null;
}
