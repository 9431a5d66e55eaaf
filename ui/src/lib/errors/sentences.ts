import type { AppError, Code } from '../generated/types';

/** The one thing that the person can do about an error. */
export type Remedy = 'again' | 'check' | 'signIn' | 'settings' | 'library' | 'none';

interface Sentence {
  /** What happened and what was kept. */
  says: string;
  remedy: Remedy;
}

const SENTENCES: Record<Code, Sentence> = {
  MALFORMED: { says: 'The server could not read this. Nothing was changed.', remedy: 'again' },
  UNAUTHENTICATED: { says: 'You are signed out. What you wrote is kept on this computer.', remedy: 'signIn' },
  TOKEN_EXPIRED: { says: 'Your sign-in has expired. What you wrote is kept on this computer.', remedy: 'signIn' },
  INVALID_CREDENTIALS: { says: 'The address or the password is wrong. Check both.', remedy: 'check' },
  FORBIDDEN: { says: 'This is not allowed to your account. Nothing was changed.', remedy: 'none' },
  PROVIDER_NOT_APPROVED: {
    says: 'This provider is not approved right now, so the offer can’t be accepted. It stays here.',
    remedy: 'again',
  },
  NOT_FOUND: { says: 'This is no longer there, or not yours to see.', remedy: 'none' },
  METHOD_NOT_ALLOWED: { says: 'This server doesn’t do that. It may be of another version.', remedy: 'none' },
  EMAIL_TAKEN: { says: 'There is an account with this address already.', remedy: 'signIn' },
  PROPOSAL_NOT_PENDING: {
    says: 'This offer was answered or taken back before. Nothing was agreed now.',
    remedy: 'none',
  },
  REQUEST_NOT_OPEN: { says: 'This request is closed, so its offers can’t be accepted any more.', remedy: 'none' },
  PROJECT_NOT_ACTIVE: { says: 'This project is closed. Its conversation stays readable.', remedy: 'none' },
  EDIT_WINDOW_OVER: {
    says: 'This message can no longer be changed. Write a new one that says so.',
    remedy: 'none',
  },
  MESSAGE_DELETED: { says: 'This message was deleted, so it can’t be changed.', remedy: 'none' },
  MEETING_IN_PROGRESS: { says: 'There is a call in this project already.', remedy: 'none' },
  MEETING_STATE: { says: 'This call has moved on: it was answered, ended or taken back.', remedy: 'none' },
  MEETING_NOT_OPEN: { says: 'This call is not open, or no longer.', remedy: 'none' },
  PROPOSAL_EXPIRED: { says: 'The time to accept this offer is over. Ask for a new one.', remedy: 'none' },
  LINK_EXPIRED: { says: 'This link to the file has run out. Open the file from its message again.', remedy: 'again' },
  SYNC_TOO_OLD: {
    says: 'Much has happened since you were last here. Everything is being fetched anew.',
    remedy: 'none',
  },
  PAYLOAD_TOO_LARGE: { says: 'This is too long to send. Shorten it and send it again.', remedy: 'check' },
  UNSUPPORTED_MEDIA_TYPE: { says: 'The server doesn’t take this kind of content.', remedy: 'none' },
  RANGE_NOT_SATISFIABLE: { says: 'The file is shorter than expected. Load it again from its start.', remedy: 'again' },
  INVALID: { says: 'Something in here is not valid. Nothing was sent.', remedy: 'check' },
  IDEMPOTENCY_KEY_REUSED: { says: 'This was sent before with other words. Try it once more.', remedy: 'again' },
  RATE_LIMITED: { says: 'That was a lot at once. Wait a moment, then try again.', remedy: 'again' },
  INTERNAL: { says: 'Something failed that should not have. Nothing of yours was lost.', remedy: 'again' },
  NOT_IMPLEMENTED: { says: 'This server can’t do that yet.', remedy: 'none' },
  UNAVAILABLE: { says: 'The server can’t do this right now. Try again in a moment.', remedy: 'again' },
  SERVER_UNREACHABLE: {
    says: 'The server can’t be reached. Check the address and your network.',
    remedy: 'again',
  },
  NOT_A_PARLEY_SERVER: {
    says: 'What answers at this address is not a Parley server. Check the address.',
    remedy: 'check',
  },
  PLAIN_HTTP_REFUSED: {
    says: 'This address is not encrypted: anyone on the way could read along. Use https, or allow it for this server.',
    remedy: 'check',
  },
  NO_CAMERA: { says: 'No camera was found. The call goes on without your picture.', remedy: 'settings' },
  CAMERA_UNAVAILABLE: {
    says: 'The camera can’t be opened; another program may be using it. The call goes on without it.',
    remedy: 'settings',
  },
  NO_MICROPHONE: { says: 'No microphone was found. The other side can’t hear you.', remedy: 'settings' },
  NO_SPEAKER: { says: 'No sound output was found. You can’t hear the other side.', remedy: 'settings' },
  ENGINE_MISSING: {
    says: 'This call goes over Agora, whose library is missing here or doesn’t fit. Settings say what is needed.',
    remedy: 'library',
  },
  LIBRARY_REFUSED: { says: 'This can’t be used as Agora’s library. Nothing was changed.', remedy: 'none' },
  CALL_FAILED: { says: 'The call could not be connected. Your messages are not affected.', remedy: 'again' },
  CALL_NOT_ADMITTED: {
    says: 'Agora refused this server. Tell whoever runs it: its App ID, App Certificate or clock is wrong.',
    remedy: 'none',
  },
  NO_CALL: { says: 'There is no call any more.', remedy: 'none' },
  LOCAL_STORAGE: { says: 'Parley can’t write to its own folder. Check that the disk is not full.', remedy: 'again' },
};

const REMEDIES: Record<Remedy, string | null> = {
  again: 'Try again',
  check: null,
  signIn: 'Sign in',
  settings: 'Choose devices',
  library: 'Open settings',
  none: null,
};

/** What to say about an error. The UI decides on the code; the server's own words are for the diagnostics. */
export function sentence(error: AppError): string {
  const says = SENTENCES[error.code] as Sentence | undefined;
  return (says ?? SENTENCES.INTERNAL).says;
}

/** What can be done about it. */
export function remedy(error: AppError): Remedy {
  return (SENTENCES[error.code] as Sentence | undefined)?.remedy ?? 'again';
}

/** The words on the button of that remedy; null where reading the sentence is all there is to do. */
export function remedyWords(error: AppError): string | null {
  return REMEDIES[remedy(error)];
}

/** The problem of one field of a form, by the last step of its pointer. */
export function fieldProblem(error: AppError | null, field: string): string | null {
  return error?.errors.find(({ pointer }) => pointer.split('/').at(-1) === field)?.message ?? null;
}
