import type { MessageView } from '../generated/types';

/** Whether two views are of one message: the same row, or the same name that its sender gave it. */
export function isSame(a: MessageView, b: MessageView): boolean {
  if (a.message !== null && b.message !== null) return a.message.id === b.message.id;
  return a.clientId !== null && a.clientId === b.clientId && a.senderId === b.senderId;
}

/** A name for lists that stays the same while a message goes from the outbox to its row. */
export function keyOf(view: MessageView): string {
  return view.clientId ?? view.message?.id ?? `${view.senderId} ${view.createdAt}`;
}

/** The items with that message as it is now: rows by `seq`, then the outbox in the order of writing. */
export function merge(items: readonly MessageView[], view: MessageView): MessageView[] {
  const at = items.findIndex((item) => isSame(item, view));
  const old = at < 0 ? undefined : items[at];
  if (old !== undefined && old.message?.seq === view.message?.seq) return items.with(at, view);
  const others = at < 0 ? [...items] : items.toSpliced(at, 1);
  const seq = view.message?.seq;
  let place = others.length;
  if (seq !== undefined) {
    while (place > 0) {
      const before = others[place - 1]?.message;
      if (before !== null && before !== undefined && before.seq <= seq) break;
      place -= 1;
    }
  }
  return others.toSpliced(place, 0, view);
}

/** The items with a page before, between or after them. */
export function mergeAll(items: readonly MessageView[], page: readonly MessageView[]): MessageView[] {
  return page.reduce<MessageView[]>(merge, [...items]);
}

/** The number of the oldest loaded row. */
export function oldestSeq(items: readonly MessageView[]): number | null {
  return items.find(({ message }) => message !== null)?.message?.seq ?? null;
}

/** The number of the newest row that somebody else wrote. */
export function newestForeignSeq(items: readonly MessageView[], me: string): number {
  return items.findLast(({ message, senderId }) => message !== null && senderId !== me)?.message?.seq ?? 0;
}
