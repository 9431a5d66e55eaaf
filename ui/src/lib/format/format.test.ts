import { describe, expect, it } from 'vitest';
import { lasted, timer } from './duration';
import { initials } from './initials';
import { money } from './money';
import { dayName, daysUntil, inDays, localClock, since } from './time';

const at = (text: string): number => new Date(text).getTime();
const iso = (text: string): string => new Date(text).toISOString();

describe('money', () => {
  it('goes by the digits of the currency', () => {
    expect(money({ amountMinor: 485_000, currency: 'GBP' }, 'en-GB')).toBe('£4,850');
    expect(money({ amountMinor: 690_050, currency: 'GBP' }, 'en-GB')).toBe('£6,900.50');
    expect(money({ amountMinor: 1234, currency: 'JPY' }, 'en-GB')).toBe('JP¥1,234');
    expect(money({ amountMinor: 1234, currency: 'KWD' }, 'en-GB')).toContain('1.234');
  });

  it('shows something for a currency that is none', () => {
    expect(money({ amountMinor: 100, currency: '??' }, 'en-GB')).toBe('1 ??');
  });
});

describe('days', () => {
  const now = at('2026-03-10T23:50:00');

  it('are counted on the calendar, not in hours', () => {
    expect(daysUntil(iso('2026-03-11T00:10:00'), now)).toBe(1);
    expect(inDays(iso('2026-03-11T00:10:00'), now, 'en')).toBe('tomorrow');
    expect(inDays(iso('2026-03-08T12:00:00'), now, 'en')).toBe('2 days ago');
    expect(inDays(iso('2027-03-10T12:00:00'), now, 'en')).toBe('in 12 months');
  });

  it('have names near today', () => {
    expect(dayName(iso('2026-03-10T00:01:00'), now, 'en-GB')).toBe('Today');
    expect(dayName(iso('2026-03-09T12:00:00'), now, 'en-GB')).toBe('Yesterday');
    expect(dayName(iso('2026-03-03T12:00:00'), now, 'en-GB')).toBe('Tuesday 3 March');
    expect(dayName(iso('2025-03-03T12:00:00'), now, 'en-GB')).toContain('2025');
  });
});

describe('clocks', () => {
  const now = Date.UTC(2026, 2, 10, 12, 0);

  it('show the hour where the person is', () => {
    expect(localClock('Asia/Kolkata', now, 'en-GB')).toBe('17:30 in Kolkata');
    expect(localClock('America/New_York', now, 'en-GB')).toBe('08:00 in New York');
  });

  it('say nothing about a zone that is unknown', () => {
    expect(localClock(null, now)).toBeNull();
    expect(localClock('Mars/Olympus', now)).toBeNull();
  });

  it('say how long somebody is away', () => {
    expect(since(new Date(now - 10_000).toISOString(), now, 'en')).toBe('just now');
    expect(since(new Date(now - 20 * 60_000).toISOString(), now, 'en')).toBe('20 min. ago');
    expect(since(new Date(now - 3 * 3_600_000).toISOString(), now, 'en')).toBe('3 hr. ago');
  });
});

describe('durations', () => {
  it('run as a clock', () => {
    expect(timer(0)).toBe('00:00');
    expect(timer(754.9)).toBe('12:34');
    expect(timer(3792)).toBe('1:03:12');
    expect(timer(-5)).toBe('00:00');
  });

  it('are told in words', () => {
    expect(lasted(12)).toBe('12 s');
    expect(lasted(754)).toBe('13 min');
    expect(lasted(3840)).toBe('1 h 4 min');
    expect(lasted(3590)).toBe('1 h');
  });
});

it('initials take the first and last word of any script', () => {
  expect(initials('Tomás Almeida')).toBe('TA');
  expect(initials('ليلى حداد')).toBe('لح');
  expect(initials('  madonna ')).toBe('M');
  expect(initials('')).toBe('?');
  expect(initials('𝒜da Lovelace')).toBe('𝒜L');
});
