import { instant, startOfDay } from '../format/time';
import type { Meeting, MessageView } from '../generated/types';
import { keyOf } from './merge';

/** What one author wrote without a pause. */
export interface GroupRow {
  kind: 'group';
  key: string;
  senderId: string;
  at: string;
  items: MessageView[];
}

/** A line of a conversation as it is drawn. */
export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'call'; key: string; meeting: Meeting }
  | GroupRow;

/** Messages of one author within this time stand together. */
export const GROUP_MS = 5 * 60_000;

interface Reading {
  me: string;
  /** The line "New" stands before the first message of others after this number; null for no line. */
  unreadAfter: number | null;
  /** Older messages are not loaded, so older calls don't belong here yet. */
  hasOlder: boolean;
}

/** Messages and calls as day lines, the unread line, groups and call lines. */
export function rows(items: readonly MessageView[], meetings: readonly Meeting[], reading: Reading): Row[] {
  const result: Row[] = [];
  const calls = callsAmong(items, meetings, reading.hasOlder);
  let day: number | null = null;
  let marked = reading.unreadAfter === null;

  const beginDay = (at: string): void => {
    const thisDay = startOfDay(instant(at));
    if (thisDay === day) return;
    day = thisDay;
    result.push({ kind: 'day', key: `day ${thisDay}`, at });
  };
  const callsBefore = (at: number): void => {
    while (calls[0] !== undefined && instant(calls[0].createdAt) <= at) {
      const meeting = calls.shift() as Meeting;
      beginDay(meeting.createdAt);
      result.push({ kind: 'call', key: `call ${meeting.id}`, meeting });
    }
  };

  for (const item of items) {
    callsBefore(instant(item.createdAt));
    beginDay(item.createdAt);
    if (!marked && item.senderId !== reading.me && (item.message?.seq ?? 0) > (reading.unreadAfter ?? 0)) {
      marked = true;
      result.push({ kind: 'unread', key: 'unread' });
    }
    const last = result.at(-1);
    if (last?.kind === 'group' && belongs(last, item)) last.items.push(item);
    else result.push({ kind: 'group', key: keyOf(item), senderId: item.senderId, at: item.createdAt, items: [item] });
  }
  callsBefore(Number.POSITIVE_INFINITY);
  return result;
}

function belongs(group: GroupRow, item: MessageView): boolean {
  const before = group.items.at(-1);
  if (before === undefined || group.senderId !== item.senderId) return false;
  return Math.abs(instant(item.createdAt) - instant(before.createdAt)) <= GROUP_MS;
}

function callsAmong(items: readonly MessageView[], meetings: readonly Meeting[], hasOlder: boolean): Meeting[] {
  const oldest = items[0];
  const from = hasOlder && oldest !== undefined ? instant(oldest.createdAt) : Number.NEGATIVE_INFINITY;
  return meetings
    .filter(({ createdAt }) => instant(createdAt) >= from)
    .sort((a, b) => instant(a.createdAt) - instant(b.createdAt));
}
