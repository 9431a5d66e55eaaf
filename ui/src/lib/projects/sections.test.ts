import { expect, it } from 'vitest';
import { demoWorld } from '../backend/fake/world';
import { sections } from './sections';

const me = 'user-helena';
const reading = { me, seenAt: {}, search: '', opened: null };
const titles = (list: { card: { project: { title: string } } }[]): string[] =>
  list.map(({ card }) => card.project.title);

it('puts what waits for the person first', () => {
  const found = sections(demoWorld().projects, reading);
  expect(found.offers).toHaveLength(1);
  expect(found.waiting.map(({ reason }) => reason)).toEqual(['missedCall']);
  expect(found.active).toHaveLength(3);
  expect(found.past).toHaveLength(1);
});

it('a missed call that was looked at no longer waits, unread messages still do', () => {
  const found = sections(demoWorld().projects, { ...reading, seenAt: { 'project-signs': Date.now() } });
  expect(found.waiting.map(({ reason }) => reason)).toEqual(['unread']);
});

it('a call that the other side did not answer is not missed by this person', () => {
  const found = sections(demoWorld().projects, { ...reading, me: 'user-tomas', seenAt: {} });
  expect(found.waiting.map(({ reason }) => reason)).toEqual(['unread']);
});

it('an own offer waits for the other side, not for its maker', () => {
  const found = sections(demoWorld().projects, { ...reading, me: 'user-ines' });
  expect(found.offers).toEqual([]);
  expect(found.sent).toHaveLength(1);
});

it('the open project keeps its place when it is read', () => {
  const { projects } = demoWorld();
  const read = { ...projects, active: projects.active.map((card) => ({ ...card, unread: 0, pastMeetings: [] })) };
  expect(titles(sections(read, { ...reading, opened: { id: 'project-signs', waits: true } }).waiting)).toEqual([
    'Signs for the new reading room',
  ]);
  expect(sections(read, reading).waiting).toEqual([]);
});

it('the open project does not jump up when a message arrives in it', () => {
  const opened = { id: 'project-signs', waits: false };
  expect(sections(demoWorld().projects, { ...reading, opened }).waiting).toEqual([]);
});

it('searches titles, names and scopes without regard to case', () => {
  const search = (words: string): string[] => {
    const found = sections(demoWorld().projects, { ...reading, search: words });
    return titles([...found.waiting, ...found.active, ...found.past]);
  };
  expect(search('SIGNS')).toEqual(['Signs for the new reading room']);
  expect(search('ليلى')).toEqual(['Annual report, English and Arabic']);
  expect(search('wheel and kiln')).toEqual(['Booking page for the ceramics workshop']);
  expect(search('no such thing')).toEqual([]);
});
