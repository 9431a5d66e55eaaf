import { readerLocale } from './locale';

const DAY_MS = 86_400_000;
/** Beyond this nobody counts days. */
const FAR_DAYS = 60;
/** Mean length of a month. */
const MONTH_DAYS = 30.44;

/** Milliseconds since 1970 of an instant on the wire. */
export function instant(timestamp: string): number {
  return Date.parse(timestamp);
}

/** Midnight, here, of the day of that instant. */
export function startOfDay(ms: number): number {
  const day = new Date(ms);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

/** Calendar days from `now` to that instant; negative when it is past. Rounded, for days of 23 and 25 hours. */
export function daysUntil(timestamp: string, now: number): number {
  return Math.round((startOfDay(instant(timestamp)) - startOfDay(now)) / DAY_MS);
}

/** "in 12 days", "tomorrow", "today", "3 days ago". */
export function inDays(timestamp: string, now: number, locale: string = readerLocale): string {
  const days = daysUntil(timestamp, now);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  return Math.abs(days) <= FAR_DAYS
    ? relative.format(days, 'day')
    : relative.format(Math.round(days / MONTH_DAYS), 'month');
}

/** "12 April 2026" in the reader's order. */
export function longDate(timestamp: string, locale: string = readerLocale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long' }).format(instant(timestamp));
}

/** "12 Apr" in the reader's order, with the year only when it is another one. */
export function shortDate(timestamp: string, now: number, locale: string = readerLocale): string {
  const sameYear = new Date(instant(timestamp)).getFullYear() === new Date(now).getFullYear();
  const options: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };
  if (!sameYear) options.year = 'numeric';
  return new Intl.DateTimeFormat(locale, options).format(instant(timestamp));
}

/** "14:32" in the reader's way. */
export function clock(timestamp: string | number, locale: string = readerLocale): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(
    typeof timestamp === 'number' ? timestamp : instant(timestamp),
  );
}

/** Day and time, for titles. */
export function dayAndClock(timestamp: string, locale: string = readerLocale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' }).format(instant(timestamp));
}

/** The heading of a day in a conversation: "Today", "Yesterday", "Tuesday 4 March", with the year when needed. */
export function dayName(timestamp: string, now: number, locale: string = readerLocale): string {
  const days = daysUntil(timestamp, now);
  if (days === 0) return 'Today';
  if (days === -1) return 'Yesterday';
  const sameYear = new Date(instant(timestamp)).getFullYear() === new Date(now).getFullYear();
  const options: Intl.DateTimeFormatOptions = { weekday: 'long', day: 'numeric', month: 'long' };
  if (!sameYear) options.year = 'numeric';
  return new Intl.DateTimeFormat(locale, options).format(instant(timestamp));
}

/** The time of a row in a list: a clock today, else a day. */
export function rowTime(timestamp: string, now: number, locale: string = readerLocale): string {
  const days = daysUntil(timestamp, now);
  if (days === 0) return clock(timestamp, locale);
  if (days > -7 && days < 0) {
    return new Intl.DateTimeFormat(locale, { weekday: 'short' }).format(instant(timestamp));
  }
  return shortDate(timestamp, now, locale);
}

/** "seen 20 min. ago": how long somebody has been away. */
export function since(timestamp: string, now: number, locale: string = readerLocale): string {
  const minutes = Math.round((instant(timestamp) - now) / 60_000);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  if (minutes > -1) return 'just now';
  if (minutes > -60) return relative.format(minutes, 'minute');
  if (minutes > -60 * 24) return relative.format(Math.round(minutes / 60), 'hour');
  return relative.format(daysUntil(timestamp, now), 'day');
}

/** A person's own clock: "14:32 in Lisbon"; null when the zone is unknown here. */
export function localClock(timeZone: string | null, now: number, locale: string = readerLocale): string | null {
  if (timeZone === null) return null;
  try {
    const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone }).format(now);
    const place = timeZone.split('/').at(-1)?.replaceAll('_', ' ') ?? timeZone;
    return timeZone.includes('/') ? `${time} in ${place}` : `${time} ${place}`;
  } catch {
    return null;
  }
}
