// One device of one person, as a careful client keeps it: the stock socket.io-client that reconnects by itself, a
// cursor, `/sync` after every connect, and what it knows from both.

import { io } from 'socket.io-client';

/** How far a meeting's life has gone; it never goes back. */
export const RANK = { PENDING: 0, ACTIVE: 1, COMPLETED: 2, CANCELLED: 2 };

const SYNC_PAGE = 100;

export class Device {
  /** `base`: where its socket connects to, if not to the server itself. */
  constructor(person, name, transports, base = person.base) {
    Object.assign(this, { person, name, transports, base });
    this.messages = new Map();
    this.meetings = new Map();
    this.projects = new Map();
    this.proposals = new Map();
    this.reads = new Map();
    this.reminders = new Map();
    /** What the wire did that it must never do. */
    this.complaints = [];
    /** How many messages came as events. */
    this.told = 0;
    /** By conversation: the highest seq that came as an event since the last connect. */
    this.newest = new Map();
    this.connects = 0;
    this.disconnects = 0;
    this.syncing = Promise.resolve();
  }

  async open() {
    this.cursor = (await this.person.expect(200, 'GET', '/sync')).nextCursor;
    this.socket = io(this.base, {
      transports: this.transports,
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 250,
      auth: (give) => give({ token: this.person.token, engines: ['direct'] }),
    });
    this.socket.on('connect', () => {
      this.connects += 1;
      this.newest.clear();
      this.catchUp();
    });
    this.socket.on('connect_error', (error) => {
      // The server's own refusal ends a stock client's tries; a transport that is not there does not.
      if (!this.socket.active) this.complaints.push(`refused: ${error.message}`);
    });
    this.socket.on('disconnect', (reason) => {
      this.disconnects += 1;
      if (!this.socket.active && reason !== 'io client disconnect') this.complaints.push(`sent away for good: ${reason}`);
    });
    this.listen();
    await this.until(() => this.isCaughtUp, 'connected');
  }

  listen() {
    this.socket.on('message:new', (message) => {
      const { conversationId, seq } = message;
      const before = this.newest.get(conversationId) ?? 0;
      if (seq <= before) this.complaints.push(`message:new ${seq} after ${before} in ${conversationId}`);
      this.newest.set(conversationId, seq);
      this.told += 1;
      if (!this.messages.has(message.id)) this.messages.set(message.id, message);
    });
    this.socket.on('message:updated', (message) => this.keepMessage(message));
    this.socket.on('conversation:read', (read) => {
      const seq = this.messages.get(read.lastReadMessageId)?.seq;
      if (seq) this.keepRead(read.conversationId, read.userId, seq);
    });
    this.socket.on('meeting:scheduled', (meeting) => this.keepMeeting(meeting));
    this.socket.on('meeting:invite', ({ meetingId, projectId }) => this.keepMeeting({ id: meetingId, projectId, status: 'PENDING' }));
    this.socket.on('meeting:started', ({ meetingId }) => this.keepMeeting({ id: meetingId, status: 'ACTIVE' }));
    this.socket.on('meeting:ended', ({ meetingId, status, endReason }) => {
      if (endReason !== 'moved') this.keepMeeting({ id: meetingId, status, endReason });
    });
    this.socket.on('meeting:reminder', (reminder) => this.keepReminder(reminder));
    this.socket.on('project:updated', (project) => this.projects.set(project.id, project));
    this.socket.on('proposal:updated', (proposal) => this.proposals.set(proposal.id, proposal));
  }

  /** Asks for everything since the cursor; once at a time. A break in between is made good after the next connect. */
  catchUp() {
    this.isCaughtUp = false;
    const connect = this.connects;
    this.syncing = this.syncing.then(async () => {
      try {
        for (let more = true; more; ) {
          const page = await this.person.expect(200, 'GET', `/sync?limit=${SYNC_PAGE}&since=${encodeURIComponent(this.cursor)}`);
          page.changes.forEach((change) => this.apply(change));
          this.cursor = page.nextCursor;
          more = page.more;
        }
        if (connect === this.connects) this.isCaughtUp = true;
      } catch (error) {
        if (!error.isLost && error.name !== 'TypeError') this.complaints.push(`sync: ${error.message}`);
        else if (this.socket.connected && connect === this.connects) setTimeout(() => this.catchUp(), 100);
      }
    });
  }

  apply(change) {
    switch (change.kind) {
      case 'message':
        return this.keepMessage(change.message);
      case 'read':
        return this.keepRead(change.conversationId, change.userId, change.lastReadSeq);
      case 'meeting':
        return this.keepMeeting(change.meeting);
      case 'project':
        return this.projects.set(change.project.id, change.project);
      case 'proposal':
        return this.proposals.set(change.proposal.id, change.proposal);
      case 'reminder':
        return this.keepReminder(change.reminder);
      default:
        return this.complaints.push(`a change of kind ${change.kind}`);
    }
  }

  /** An event may be older than what a sync told a moment before. */
  keepMessage(message) {
    const known = this.messages.get(message.id);
    if (known?.deletedAt && !message.deletedAt) return;
    if (known && !message.deletedAt && (known.editedAt ?? '') > (message.editedAt ?? '')) return;
    this.messages.set(message.id, message);
  }

  keepMeeting(meeting) {
    const known = this.meetings.get(meeting.id);
    if (known && RANK[known.status] > RANK[meeting.status]) return;
    this.meetings.set(meeting.id, { ...known, ...meeting });
  }

  keepRead(conversationId, userId, seq) {
    const key = `${conversationId}/${userId}`;
    this.reads.set(key, Math.max(seq, this.reads.get(key) ?? 0));
  }

  /** Shown once, however often it comes. */
  keepReminder(reminder) {
    const known = this.reminders.get(reminder.reminderId);
    if (known && known.meetingId !== reminder.meetingId) this.complaints.push(`reminder ${reminder.reminderId} of two meetings`);
    this.reminders.set(reminder.reminderId, reminder);
  }

  async until(isSo, what, within = 20_000) {
    const deadline = Date.now() + within;
    while (!isSo()) {
      if (Date.now() > deadline) {
        const { engine } = this.socket.io;
        const line = `connected: ${this.socket.connected}, ${engine?.transport?.name} ${engine?.transport?.readyState}, upgrading: ${engine?.upgrading}`;
        throw new Error(`${this.name} is not ${what} after ${within} ms; ${line}; ${this.complaints.join('; ')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends an event and gives back the answer. */
  async ask(event, payload) {
    try {
      return await this.socket.timeout(10_000).emitWithAck(event, payload);
    } catch (cause) {
      throw Object.assign(new Error(`${event} was not answered`, { cause }), { isLost: true });
    }
  }

  close() {
    this.socket?.close();
  }
}
