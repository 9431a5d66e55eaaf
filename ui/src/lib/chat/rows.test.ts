import { expect, it } from 'vitest';
import { TOMAS } from '../backend/fake/people';
import { demoWorld, pastMeeting, rowView } from '../backend/fake/world';
import type { Meeting, MessageView } from '../generated/types';
import { callWords } from './call-words';
import { rows } from './rows';

const me = 'user-helena';
const START = new Date('2026-03-10T12:00:00').getTime();
const say = (seq: number, minute: number, sender = 'user-tomas'): MessageView =>
  rowView('c', seq, sender, `text ${seq}`, new Date(START + minute * 60_000).toISOString());
const kinds = (...args: Parameters<typeof rows>): string[] =>
  rows(...args).map((line) => (line.kind === 'group' ? `group of ${line.items.length}` : line.kind));
const reading = { me, unreadAfter: null, hasOlder: false };

function call(
  minute: number,
  reason: Meeting['endReason'] = 'ended',
  by: 'me' | 'other' = 'other',
  duration: number | null = 60,
): Meeting {
  const project = demoWorld().projects.active[0]?.project;
  if (project === undefined) throw new Error('the demonstration has projects');
  const meeting = pastMeeting(project, TOMAS, minute, by, 0, reason, duration);
  return { ...meeting, createdAt: new Date(START + minute * 60_000).toISOString() };
}

it('groups what one author writes within five minutes', () => {
  const items = [say(1, 0), say(2, 5), say(3, 9), say(4, 15), say(5, 16, me)];
  expect(kinds(items, [], reading)).toEqual(['day', 'group of 3', 'group of 1', 'group of 1']);
});

it('begins each day with a line', () => {
  const items = [say(1, 0), say(2, 60 * 13), say(3, 60 * 13 + 1)];
  expect(kinds(items, [], reading)).toEqual(['day', 'group of 1', 'day', 'group of 2']);
});

it('draws the unread line once, before the first message of others', () => {
  const items = [say(1, 0), say(2, 1, me), say(3, 2), say(4, 3)];
  expect(kinds(items, [], { ...reading, unreadAfter: 1 })).toEqual([
    'day',
    'group of 1',
    'group of 1',
    'unread',
    'group of 2',
  ]);
  expect(kinds(items, [], { ...reading, unreadAfter: 9 })).not.toContain('unread');
});

it('puts calls where they happened and lets them part groups', () => {
  const items = [say(1, 0), say(2, 4)];
  expect(kinds(items, [call(2)], reading)).toEqual(['day', 'group of 1', 'call', 'group of 1']);
  expect(kinds(items, [call(30)], reading)).toEqual(['day', 'group of 2', 'call']);
  expect(kinds([], [call(30)], reading)).toEqual(['day', 'call']);
});

it('shows older calls only with the messages around them', () => {
  expect(kinds([say(9, 60)], [call(2)], { ...reading, hasOlder: true })).toEqual(['day', 'group of 1']);
  expect(kinds([say(9, 60)], [call(2)], reading)).toEqual(['day', 'call', 'group of 1']);
});

it('gives every line a name of its own', () => {
  const lines = rows([say(1, 0), say(2, 60 * 13)], [call(2), call(3)], { ...reading, unreadAfter: 0 });
  expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
});

it('tells who called and how it ended', () => {
  const words = (...args: Parameters<typeof call>): string => callWords(call(...args), me, 'Tomás').says;
  expect(words(0, 'ended', 'me')).toBe('You called Tomás');
  expect(words(0, 'missed', 'other', null)).toBe('You missed a call from Tomás');
  expect(words(0, 'missed', 'me', null)).toBe('Tomás didn’t answer your call');
  expect(words(0, 'declined', 'me', null)).toBe('Tomás declined your call');
  expect(callWords(call(0, 'ended', 'me', 754), me, 'Tomás').length).toBe('13 min');
});
