import { lasted } from '../format/duration';
import type { Meeting } from '../generated/types';

export interface CallWords {
  /** What happened. */
  says: string;
  /** How long; null if nobody spoke. */
  length: string | null;
  /** This person could have answered and did not. */
  missed: boolean;
}

/** A past call as a line of the conversation. */
export function callWords(meeting: Meeting, me: string, otherName: string): CallWords {
  const own = meeting.hostId === me;
  const length = meeting.duration !== null && meeting.duration > 0 ? lasted(meeting.duration) : null;
  switch (meeting.endReason) {
    case 'missed':
      return own
        ? { says: `${otherName} didn’t answer your call`, length: null, missed: false }
        : { says: `You missed a call from ${otherName}`, length: null, missed: true };
    case 'declined':
      return { says: own ? `${otherName} declined your call` : 'You declined a call', length: null, missed: false };
    case 'cancelled':
      return own
        ? { says: 'You took your call back', length: null, missed: false }
        : { says: `${otherName} called and took it back`, length: null, missed: true };
    case 'expired':
      return { says: 'A planned call did not take place', length: null, missed: false };
    default:
      return { says: own ? `You called ${otherName}` : `${otherName} called you`, length, missed: false };
  }
}
