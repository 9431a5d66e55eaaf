import type {
  AppEvent,
  MarkReadUpTo,
  MessageView,
  OfOutbox,
  Send,
  TimelinePage,
  TimelineRequest,
} from '../../generated/types';
import { Refusal, appError } from '../backend';
import { HELENA } from './people';
import { ANSWERS } from './talk';
import { type World, rowView } from './world';

const PAGE = 40;
/** A message with this in it is refused, to show what a refusal looks like. */
const REFUSED = '/fail';

/** Messages of the demonstration: sending, sent, read, and somebody who types and answers. */
export class FakeTalks {
  #outbox: MessageView[] = [];
  #written = 0;
  #answered = 0;

  constructor(
    readonly world: World,
    readonly tell: (event: AppEvent) => void,
    readonly connected: () => boolean,
  ) {}

  get waiting(): number {
    return this.#outbox.filter(({ delivery }) => delivery === 'sending').length;
  }

  page({ conversationId, beforeSeq }: TimelineRequest): TimelinePage {
    const talk = this.world.talks.get(conversationId);
    if (talk === undefined) throw new Refusal(appError('NOT_FOUND', ''));
    const older = beforeSeq === null ? talk : talk.filter(({ message }) => (message?.seq ?? 0) < beforeSeq);
    const rows = older.slice(-PAGE);
    const outbox = beforeSeq === null ? this.#outbox.filter((item) => item.conversationId === conversationId) : [];
    return { items: [...rows, ...outbox], hasOlder: older.length > rows.length };
  }

  send({ conversationId, content }: Send): MessageView {
    const view = this.addWaiting(conversationId, content);
    if (this.connected()) this.#deliver(view);
    return view;
  }

  addWaiting(conversationId: string, content: string): MessageView {
    this.#written += 1;
    const view: MessageView = {
      message: null,
      conversationId,
      clientId: `written-${this.#written}`,
      senderId: HELENA.id,
      content,
      createdAt: new Date().toISOString(),
      delivery: 'sending',
      readAt: null,
      error: null,
    };
    this.#outbox.push(view);
    return view;
  }

  addFailed(conversationId: string, content: string): void {
    const view = this.addWaiting(conversationId, content);
    this.#replace(view, { ...view, delivery: 'failed', error: appError('UNAVAILABLE', '') });
  }

  retry(which: OfOutbox): MessageView {
    const view = this.#find(which);
    const again: MessageView = {
      ...view,
      delivery: 'sending',
      error: null,
      content: view.content.replace(REFUSED, '').trim(),
    };
    this.#replace(view, again);
    if (this.connected()) this.#deliver(again);
    return again;
  }

  discard(which: OfOutbox): null {
    const view = this.#find(which);
    this.#outbox = this.#outbox.filter((item) => item !== view);
    this.tell({ event: 'messageGone', payload: which });
    return null;
  }

  markRead({ conversationId, seq }: MarkReadUpTo): null {
    const { projects } = this.world;
    const active = projects.active.map((card) =>
      card.project.conversationId === conversationId ? { ...card, unread: 0, lastReadSeq: seq } : card,
    );
    this.world.projects = { ...projects, active };
    this.tell({ event: 'projects', payload: this.world.projects });
    return null;
  }

  sendWaiting(): void {
    for (const view of this.#outbox.filter(({ delivery }) => delivery === 'sending')) this.#deliver(view);
  }

  /** Somebody else's message arrives. */
  receive(conversationId: string, senderId: string, content: string): void {
    const talk = this.world.talks.get(conversationId) ?? [];
    const view = rowView(conversationId, talk.length + 1, senderId, content, new Date().toISOString());
    talk.push(view);
    this.#touch(view, senderId === HELENA.id ? 0 : 1);
    this.tell({ event: 'message', payload: view });
  }

  #deliver(view: MessageView): void {
    setTimeout(() => {
      if (!this.connected() || !this.#outbox.includes(view)) return;
      if (view.content.includes(REFUSED)) {
        const failed: MessageView = { ...view, delivery: 'failed', error: appError('UNAVAILABLE', '') };
        this.#replace(view, failed);
        return this.tell({ event: 'message', payload: failed });
      }
      const talk = this.world.talks.get(view.conversationId) ?? [];
      const { message } = rowView(
        view.conversationId,
        talk.length + 1,
        HELENA.id,
        view.content,
        new Date().toISOString(),
      );
      const sent: MessageView = { ...view, message, delivery: 'sent' };
      this.#outbox = this.#outbox.filter((item) => item !== view);
      talk.push(sent);
      this.#touch(sent, 0);
      this.tell({ event: 'message', payload: sent });
      this.#answer(sent, talk);
    }, 450);
  }

  #answer(sent: MessageView, talk: MessageView[]): void {
    const card = this.world.projects.active.find(({ project }) => project.conversationId === sent.conversationId);
    if (card === undefined) return;
    const { conversationId } = sent;
    const userId = card.other.userId;
    setTimeout(() => {
      const read: MessageView = { ...sent, delivery: 'read', readAt: new Date().toISOString() };
      talk[talk.indexOf(sent)] = read;
      this.tell({ event: 'message', payload: read });
    }, 1400);
    setTimeout(() => this.tell({ event: 'typing', payload: { conversationId, userId, isTyping: true } }), 2000);
    setTimeout(() => {
      this.tell({ event: 'typing', payload: { conversationId, userId, isTyping: false } });
      this.receive(conversationId, userId, ANSWERS[this.#answered % ANSWERS.length] ?? '');
      this.#answered += 1;
    }, 4600);
  }

  #touch(view: MessageView, unread: number): void {
    const { projects } = this.world;
    const touched = projects.active.find(({ project }) => project.conversationId === view.conversationId);
    if (touched === undefined) return;
    const card = { ...touched, lastMessage: view, unread: touched.unread + unread, updatedAt: view.createdAt };
    this.world.projects = { ...projects, active: [card, ...projects.active.filter((other) => other !== touched)] };
    this.tell({ event: 'projects', payload: this.world.projects });
  }

  #find({ clientId }: OfOutbox): MessageView {
    const view = this.#outbox.find((item) => item.clientId === clientId);
    if (view === undefined) throw new Refusal(appError('NOT_FOUND', ''));
    return view;
  }

  #replace(old: MessageView, view: MessageView): void {
    this.#outbox = this.#outbox.map((item) => (item === old ? view : item));
  }
}
