import { type Backend, toAppError } from '../backend/backend';
import type { AppError, ConversationId, MessageView, OfOutbox, UserId } from '../generated/types';
import { merge, mergeAll, newestForeignSeq, oldestSeq } from './merge';

/** The contract's limit, in Unicode scalar values. */
export const LONGEST = 8000;
/** How often "types" is repeated while the person types: the server ends it by itself after 6 s (CONTRACT §6). */
const TYPING_AGAIN_MS = 3000;
/** A pause this long is the end of typing. */
const PAUSE_MS = 4000;

export interface ChatStart {
  conversationId: ConversationId;
  me: UserId;
  /** The person's read mark when the conversation was opened. */
  lastReadSeq: number;
  draft: string;
}

/** One conversation: its messages, what is being written, who types. */
export class Chat {
  items = $state.raw<MessageView[]>([]);
  hasOlder = $state(false);
  /** Nothing was loaded yet. */
  loading = $state(true);
  loadingOlder = $state(false);
  error = $state.raw<AppError | null>(null);
  /** Why the last message could not even be written to the outbox. */
  sendError = $state.raw<AppError | null>(null);
  otherTypes = $state(false);
  draft = $state('');
  /** The unread line stands after this number; null for no line. */
  unreadAfter = $state<number | null>(null);
  readonly conversationId: ConversationId;
  readonly me: UserId;
  #readUpTo: number;
  #typing: { since: number; pause: ReturnType<typeof setTimeout> } | null = null;
  #disposed = false;
  readonly #backend: Backend;
  readonly #stop: () => void;

  constructor(backend: Backend, start: ChatStart) {
    this.#backend = backend;
    this.conversationId = start.conversationId;
    this.me = start.me;
    this.draft = start.draft;
    this.#readUpTo = start.lastReadSeq;
    this.unreadAfter = start.lastReadSeq;
    let wasConnected = true;
    this.#stop = backend.listen((event) => {
      if (event.event === 'message') this.#onMessage(event.payload);
      else if (event.event === 'messageGone') this.#onGone(event.payload);
      else if (event.event === 'typing' && event.payload.conversationId === this.conversationId) {
        if (event.payload.userId !== this.me) this.otherTypes = event.payload.isTyping;
      } else if (event.event === 'connection') {
        const connected = event.payload.state === 'connected';
        if (connected && !wasConnected) void this.refresh();
        wasConnected = connected;
      }
    });
  }

  /** Loads the newest stretch, and after a gap whatever came in between. */
  async refresh(): Promise<void> {
    try {
      const page = await this.#backend.execute('timeline', { conversationId: this.conversationId, beforeSeq: null });
      if (this.#disposed) return;
      const newest = this.items.findLast(({ message }) => message !== null)?.message?.seq ?? null;
      const oldest = oldestSeq(page.items);
      const gap = newest !== null && oldest !== null && oldest > newest + 1;
      if (newest === null || gap) {
        // What is written down here and not yet a row is in the page too; rows heard meanwhile are merged over it.
        this.items = gap ? page.items : mergeAll(page.items, this.items);
        this.hasOlder = page.hasOlder;
      } else {
        this.items = mergeAll(this.items, page.items);
      }
      if (this.loading && newestForeignSeq(this.items, this.me) <= this.#readUpTo) this.unreadAfter = null;
      this.error = null;
    } catch (thrown) {
      if (!this.#disposed) this.error = toAppError(thrown);
    } finally {
      this.loading = false;
    }
  }

  /** Loads what came before. */
  async loadOlder(): Promise<void> {
    const before = oldestSeq(this.items);
    if (this.loadingOlder || !this.hasOlder || before === null) return;
    this.loadingOlder = true;
    try {
      const { conversationId } = this;
      const page = await this.#backend.execute('timeline', { conversationId, beforeSeq: before });
      if (this.#disposed) return;
      this.items = mergeAll(this.items, page.items);
      this.hasOlder = page.hasOlder;
      this.error = null;
    } catch (thrown) {
      if (!this.#disposed) this.error = toAppError(thrown);
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Why the draft can't be sent; null when it can. */
  get refusal(): 'empty' | 'tooLong' | null {
    const text = this.draft.trim();
    if (text === '') return 'empty';
    return text.length > LONGEST && [...text].length > LONGEST ? 'tooLong' : null;
  }

  /** Sends the draft. It comes back into the composer if it could not even be written down. */
  async send(): Promise<void> {
    if (this.refusal !== null) return;
    const content = this.draft.trim();
    this.draft = '';
    this.sendError = null;
    this.stopTyping();
    try {
      const view = await this.#backend.execute('send', { conversationId: this.conversationId, content });
      this.#onAnswer(view);
    } catch (thrown) {
      this.sendError = toAppError(thrown);
      this.draft = this.draft === '' ? content : `${content}\n${this.draft}`;
    }
  }

  async retry(clientId: string): Promise<void> {
    try {
      const { conversationId } = this;
      this.#onAnswer(await this.#backend.execute('retryMessage', { conversationId, clientId }));
    } catch (thrown) {
      this.sendError = toAppError(thrown);
    }
  }

  async discard(clientId: string): Promise<void> {
    const { conversationId } = this;
    try {
      await this.#backend.execute('discardMessage', { conversationId, clientId });
      this.#onGone({ conversationId, clientId });
    } catch (thrown) {
      this.sendError = toAppError(thrown);
    }
  }

  /** The person sees the end of the conversation. */
  sawNewest(): void {
    const seq = newestForeignSeq(this.items, this.me);
    if (this.loading || seq <= this.#readUpTo) return;
    const before = this.#readUpTo;
    this.#readUpTo = seq;
    this.#backend.execute('markRead', { conversationId: this.conversationId, seq }).catch(() => {
      // Not lost: it is marked again with the next look.
      if (this.#readUpTo === seq) this.#readUpTo = before;
    });
  }

  /** Puts the unread line before what comes from now on: the person looks away. */
  lookedAway(): void {
    if (!this.loading) this.unreadAfter = this.#readUpTo;
  }

  /** The draft changed by the person's hand. */
  typed(): void {
    if (this.draft.trim() === '') return this.stopTyping();
    const now = Date.now();
    if (this.#typing !== null) clearTimeout(this.#typing.pause);
    const pause = setTimeout(() => this.stopTyping(), PAUSE_MS);
    if (this.#typing === null || now - this.#typing.since >= TYPING_AGAIN_MS) {
      this.#tellTyping(true);
      this.#typing = { since: now, pause };
    } else {
      this.#typing.pause = pause;
    }
  }

  stopTyping(): void {
    if (this.#typing === null) return;
    clearTimeout(this.#typing.pause);
    this.#typing = null;
    this.#tellTyping(false);
  }

  dispose(): void {
    this.stopTyping();
    this.#disposed = true;
    this.#stop();
  }

  #tellTyping(isTyping: boolean): void {
    // Nobody needs to know when this doesn't arrive.
    this.#backend.execute('typing', { conversationId: this.conversationId, isTyping }).catch(() => undefined);
  }

  #onMessage(view: MessageView): void {
    if (view.conversationId !== this.conversationId) return;
    const oldest = oldestSeq(this.items);
    const seq = view.message?.seq;
    if (this.hasOlder && oldest !== null && seq !== undefined && seq < oldest) return;
    this.items = merge(this.items, view);
    if (view.senderId !== this.me && view.delivery === 'received') this.otherTypes = false;
  }

  /** An answer may come after the event that is newer; then the event stands. */
  #onAnswer(view: MessageView): void {
    if (this.#disposed) return;
    const known = this.items.find((item) => item.clientId !== null && item.clientId === view.clientId);
    if (known !== undefined && known.message !== null && view.message === null) return;
    this.items = merge(this.items, view);
  }

  #onGone({ conversationId, clientId }: OfOutbox): void {
    if (conversationId !== this.conversationId) return;
    this.items = this.items.filter((item) => item.clientId !== clientId || item.message !== null);
  }
}
