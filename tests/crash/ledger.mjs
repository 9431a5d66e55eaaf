// What was asked of the server and what it acknowledged: the measure for what must be there after a crash.

import { RANK } from '../lib/device.mjs';

/** A value that one hand changes: what was acknowledged last, and what may have happened since without an answer. */
export class Fact {
  constructor(value) {
    this.acknowledged = value;
    this.asked = [];
  }

  ask(value) {
    this.asked.push(value);
  }

  confirm(value) {
    this.acknowledged = value;
    this.asked = [];
  }

  refuse(value) {
    this.asked = this.asked.filter((one) => one !== value);
  }

  allows(found) {
    return found === this.acknowledged || this.asked.includes(found);
  }

  toString() {
    const rest = this.asked.length ? `, asked without an answer: ${this.asked.join(' | ')}` : '';
    return `acknowledged: ${this.acknowledged}${rest}`;
  }
}

export class Ledger {
  constructor() {
    /** The last lines, told when something fails. */
    this.lines = [];
    /** By clientId: what was sent, and the message once it was acknowledged. */
    this.sends = new Map();
    /** By message id: the text as a Fact; a deleted one has `null`. */
    this.texts = new Map();
    /** By `conversation/user`: the highest seq acknowledged as read. */
    this.reads = new Map();
    /** By id: the furthest acknowledged state, its time as a Fact, all times that it had. */
    this.meetings = new Map();
    /** Requests whose proposals several people tried to accept at once. */
    this.bargains = [];
    /** By attachment id: size and SHA-256 of acknowledged uploads. */
    this.uploads = new Map();
    /** Whether the server was told to end. */
    this.isEnding = false;
    this.acknowledged = 0;
    this.unanswered = 0;
  }

  note(line) {
    this.lines.push(`${new Date().toISOString()} ${line}`);
    if (this.lines.length > 4000) this.lines.splice(0, 2000);
  }

  /** The last lines that speak of something. */
  about(...words) {
    return this.lines.filter((line) => words.some((word) => line.includes(word))).slice(-20);
  }

  read(conversationId, userId, seq) {
    const key = `${conversationId}/${userId}`;
    this.reads.set(key, Math.max(seq, this.reads.get(key) ?? 0));
  }

  /** A meeting as an answer showed it. */
  meeting(meeting) {
    let known = this.meetings.get(meeting.id);
    if (!known) {
      known = { meeting, time: new Fact(meeting.scheduledAt), times: new Set() };
      this.meetings.set(meeting.id, known);
    }
    known.times.add(meeting.scheduledAt);
    if (RANK[meeting.status] >= RANK[known.meeting.status]) known.meeting = meeting;
    return known;
  }
}
