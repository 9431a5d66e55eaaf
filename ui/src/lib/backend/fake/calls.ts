import type { AppEvent, CallView, Control, ProjectCard, QualityView, RingView } from '../../generated/types';
import { Refusal, appError } from '../backend';
import { type World, pastMeeting } from './world';

const OFF: Control = { wanted: false, actual: false, working: false, error: null };

/** Calls of the demonstration: ring, answer, pictures, quality that wavers, an end. */
export class FakeCalls {
  ring: RingView | null = null;
  call: CallView | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #count = 0;

  constructor(
    readonly world: World,
    readonly tell: (event: AppEvent) => void,
  ) {}

  setScene(scene: string): void {
    const card = this.world.projects.active[0];
    if (card === undefined) return;
    const { project } = card;
    if (scene === 'ring') this.#ringFrom(card);
    if (scene === 'calling') this.call = this.#begin(project.id, true, 'ringingOut');
    if (scene === 'call' || scene === 'reconnecting') {
      const startedAt = new Date(Date.now() - 754_000).toISOString();
      const phase = scene === 'call' ? 'connected' : 'reconnecting';
      this.call = { ...this.#begin(project.id, true, phase), startedAt, ...this.#flowing() };
      this.#run();
    }
    if (scene === 'no-devices') {
      const error = appError('NO_MICROPHONE', '');
      const view = this.#begin(project.id, true, 'connected');
      const startedAt = new Date(Date.now() - 9_000).toISOString();
      const microphone = { wanted: true, actual: false, working: false, error };
      this.call = { ...view, startedAt, microphone, source: 'card', ...this.#flowing() };
      this.#run();
      setTimeout(() => this.tell({ event: 'notice', payload: appError('NO_SPEAKER', '') }), 100);
    }
    if (scene === 'engine-missing') {
      const error = appError('ENGINE_MISSING', '');
      this.call = { ...this.#begin(project.id, true, 'ended'), engine: 'agora', endReason: null, error };
    }
    if (scene === 'broken-off') {
      const error = appError('CALL_FAILED', '');
      this.call = {
        ...this.#begin(project.id, true, 'ended'),
        startedAt: new Date().toISOString(),
        endReason: null,
        error,
      };
    }
    if (scene === 'after') {
      this.call = { ...this.#begin(project.id, true, 'ended'), endReason: 'ended', duration: 754 };
    }
  }

  start(projectId: string, camera: boolean): CallView {
    if (this.call !== null && this.call.phase !== 'ended') throw new Refusal(appError('MEETING_IN_PROGRESS', ''));
    this.call = this.#begin(projectId, camera, 'ringingOut');
    const { meetingId } = this.call;
    setTimeout(() => this.#whileStill(meetingId, () => this.#connect()), 2600);
    return this.call;
  }

  accept(meetingId: string, camera: boolean): CallView {
    const ring = this.ring;
    if (ring?.meetingId !== meetingId) throw new Refusal(appError('MEETING_STATE', ''));
    this.#stopRinging();
    this.call = this.#begin(ring.projectId, camera, 'connecting');
    setTimeout(() => this.#whileStill(this.call?.meetingId ?? '', () => this.#connect()), 700);
    return this.call;
  }

  decline(): ProjectCard | null {
    const card = this.world.projects.active.find(({ project }) => project.id === this.ring?.projectId) ?? null;
    this.#stopRinging();
    if (card !== null) this.#remember(card, 'other', 'declined', null);
    return card;
  }

  leave(): null {
    const call = this.call;
    if (call === null) throw new Refusal(appError('NO_CALL', ''));
    clearInterval(this.#timer);
    const begun = call.startedAt === null ? null : Math.round((Date.now() - Date.parse(call.startedAt)) / 1000);
    const endReason = begun === null ? 'cancelled' : 'ended';
    this.#change({ phase: 'ended', endReason, duration: begun });
    const card = this.world.projects.active.find(({ project }) => project.id === call.projectId);
    if (card !== undefined) this.#remember(card, 'me', endReason, begun);
    this.call = null;
    return null;
  }

  setMicrophone(on: boolean): null {
    return this.#switch('microphone', on);
  }

  setCamera(on: boolean): null {
    return this.#switch('camera', on);
  }

  #switch(which: 'camera' | 'microphone', on: boolean): null {
    const call = this.call;
    if (call === null) throw new Refusal(appError('NO_CALL', ''));
    this.#change({ [which]: { ...call[which], wanted: on, working: true } });
    setTimeout(() => {
      this.#whileStill(call.meetingId, () =>
        this.#change({ [which]: { wanted: on, actual: on, working: false, error: null } }),
      );
    }, 350);
    return null;
  }

  #begin(projectId: string, camera: boolean, phase: CallView['phase']): CallView {
    const card = this.world.projects.active.find(({ project }) => project.id === projectId);
    if (card === undefined) throw new Refusal(appError('NOT_FOUND', ''));
    this.#count += 1;
    return {
      meetingId: `meeting-live-${this.#count}`,
      projectId,
      peer: card.other,
      phase,
      engine: 'direct',
      startedAt: null,
      microphone: { ...OFF, wanted: true, actual: true },
      camera: camera ? { ...OFF, wanted: true, actual: true } : OFF,
      source: 'camera',
      peerMedia: { camera: false, microphone: false, videoFlowing: false },
      quality: null,
      endReason: null,
      duration: null,
      error: null,
      framesUrl: 'fake:frames',
    };
  }

  #connect(): void {
    this.#change({ phase: 'connecting' });
    const id = this.call?.meetingId ?? '';
    setTimeout(() => {
      this.#whileStill(id, () => {
        this.#change({ phase: 'connected', startedAt: new Date().toISOString(), ...this.#flowing() });
        this.#run();
      });
    }, 600);
  }

  #flowing(): Pick<CallView, 'peerMedia' | 'quality'> {
    return { peerMedia: { camera: true, microphone: true, videoFlowing: true }, quality: qualityAt(0) };
  }

  #run(): void {
    let second = 0;
    this.#timer = setInterval(() => {
      second += 1;
      this.#change({ quality: qualityAt(second) });
    }, 1000);
  }

  #change(part: Partial<CallView>): void {
    if (this.call === null) return;
    this.call = { ...this.call, ...part };
    this.tell({ event: 'call', payload: this.call });
  }

  #whileStill(meetingId: string, act: () => void): void {
    if (this.call?.meetingId === meetingId && this.call.phase !== 'ended') act();
  }

  #ringFrom(card: ProjectCard): void {
    this.ring = {
      meetingId: 'meeting-ring',
      projectId: card.project.id,
      projectTitle: card.project.title,
      caller: card.other,
      expiresAt: new Date(Date.now() + 45_000).toISOString(),
    };
  }

  #stopRinging(): void {
    this.ring = null;
    this.tell({ event: 'ring', payload: null });
  }

  #remember(
    card: ProjectCard,
    by: 'me' | 'other',
    reason: 'declined' | 'ended' | 'cancelled',
    duration: number | null,
  ): void {
    this.#count += 1;
    const meeting = pastMeeting(
      card.project,
      card.other,
      100 + this.#count,
      by,
      (duration ?? 0) / 60,
      reason,
      duration,
    );
    const { projects } = this.world;
    const active = projects.active.map((other) =>
      other.project.id === card.project.id ? { ...other, pastMeetings: [...other.pastMeetings, meeting] } : other,
    );
    this.world.projects = { ...projects, active };
    this.tell({ event: 'projects', payload: this.world.projects });
  }
}

function qualityAt(second: number): QualityView {
  const wave = Math.sin(second / 7) * 0.5 + Math.sin(second / 3) * 0.2;
  const dip = second % 60 > 50;
  return {
    bars: dip ? 2 : 3,
    sentence: dip ? 'The line is a little slow; the picture may be softer.' : 'The line is good.',
    roundTripMs: Math.round(dip ? 140 : 46 + wave * 12),
    lossPercent: dip ? 2.4 : 0.2,
    sendKbps: Math.round(1400 + wave * 160),
    receiveKbps: Math.round(dip ? 620 : 1480 + wave * 180),
    receiveFps: dip ? 24 : 30,
  };
}
