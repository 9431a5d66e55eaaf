import type { Person, Role, User } from '../../generated/types';

/** The demonstration's people. */
export const HELENA: User = {
  id: 'user-helena',
  email: 'client@demo.test',
  name: 'Helena Marsh',
  role: 'client',
  approved: true,
  createdAt: '2025-02-03T09:00:00.000Z',
  timeZone: 'Europe/London',
};

export function person(id: string, name: string, timeZone: string | null, seenMinutesAgo: number, role: Role): Person {
  return {
    userId: id,
    name,
    role,
    online: seenMinutesAgo === 0,
    lastSeenAt: seenMinutesAgo === 0 ? null : ago(seenMinutesAgo),
    timeZone,
  };
}

export const TOMAS = person('user-tomas', 'Tomás Almeida', 'Europe/Lisbon', 0, 'provider');
export const PRIYA = person('user-priya', 'Priya Raghunathan', 'Asia/Kolkata', 25, 'provider');
export const LAILA = person('user-laila', 'ليلى حداد', 'Asia/Amman', 60 * 5, 'provider');
export const WOLFGANG = person(
  'user-wolfgang',
  'Wolfgang-Maximilian von Hohenstein-Schaumburg',
  'Europe/Berlin',
  60 * 30,
  'provider',
);
export const INES = person('user-ines', 'Ines Okafor', 'Africa/Lagos', 60 * 24 * 9, 'provider');

/** An instant some minutes before now. */
export function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

/** An instant some days from now, at the end of a working day. */
export function inDays(days: number): string {
  const day = new Date(Date.now() + days * 86_400_000);
  day.setHours(17, 0, 0, 0);
  return day.toISOString();
}
