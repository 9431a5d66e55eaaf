import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { AppEvent } from '../generated/types';
import { type Backend, Refusal, toAppError } from './backend';
import { Listeners } from './listeners';
import { openSocketFrames } from './socket-frames';

/** Whether this page runs in the desktop app. */
export function inTauri(): boolean {
  return '__TAURI_INTERNALS__' in globalThis;
}

/** The app core in the same process, by Tauri's commands and events. Resolves once events are heard. */
export async function openTauri(): Promise<Backend> {
  const listeners = new Listeners();
  await listen<AppEvent>('app-event', ({ payload }) => listeners.tell(payload));
  return {
    ringHasOwnWindow: true,
    async execute(name, args) {
      try {
        return await invoke('execute', { command: { name, args } });
      } catch (thrown) {
        throw new Refusal(toAppError(thrown));
      }
    },
    listen: (hear) => listeners.add(hear),
    openFrames: openSocketFrames,
  };
}
