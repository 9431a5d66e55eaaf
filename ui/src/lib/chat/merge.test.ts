import { expect, it } from 'vitest';
import { rowView } from '../backend/fake/world';
import type { MessageView } from '../generated/types';
import { keyOf, merge, mergeAll, newestForeignSeq, oldestSeq } from './merge';

const AT = '2026-03-10T12:00:00.000Z';
const row = (seq: number, sender = 'user-tomas'): MessageView => rowView('c', seq, sender, `text ${seq}`, AT);
const written = (clientId: string): MessageView => ({
  ...row(0, 'user-helena'),
  message: null,
  clientId,
  content: clientId,
  delivery: 'sending',
});
const texts = (items: MessageView[]): string[] => items.map(({ content }) => content);

it('puts rows in the order of their numbers, whatever order they came in', () => {
  const items = mergeAll([], [row(3), row(1), row(2)]);
  expect(texts(items)).toEqual(['text 1', 'text 2', 'text 3']);
});

it('keeps the outbox behind the rows', () => {
  const items = mergeAll([row(1), written('a'), written('b')], [row(2)]);
  expect(texts(items)).toEqual(['text 1', 'text 2', 'a', 'b']);
});

it('a written message moves to its number and stays one message', () => {
  const sent = { ...row(2, 'user-helena'), clientId: 'b', content: 'b', delivery: 'sent' as const };
  const items = merge([row(1), written('a'), written('b')], sent);
  expect(texts(items)).toEqual(['text 1', 'b', 'a']);
  expect(keyOf(sent)).toBe(keyOf(written('b')));
});

it('takes a row twice as one', () => {
  expect(mergeAll([row(1)], [row(1), row(1)])).toHaveLength(1);
});

it('two people may use the same client id', () => {
  const mine = { ...row(1, 'user-helena'), clientId: 'x' };
  const theirs = { ...row(2), clientId: 'x' };
  expect(mergeAll([], [mine, theirs])).toHaveLength(2);
});

it('finds the edges', () => {
  const items = [row(4), row(5, 'user-helena'), written('a')];
  expect(oldestSeq(items)).toBe(4);
  expect(oldestSeq([written('a')])).toBeNull();
  expect(newestForeignSeq(items, 'user-helena')).toBe(4);
  expect(newestForeignSeq([], 'user-helena')).toBe(0);
});
