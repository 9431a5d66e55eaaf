import type { Backend } from './backend';
import { inTauri, openTauri } from './tauri';

/** The app core of this window: Tauri's, one behind `?bridge=ws://…`, or the demonstration in memory. */
export async function chooseBackend(): Promise<Backend> {
  if (inTauri()) return openTauri();
  const query = new URLSearchParams(location.search);
  const bridge = query.get('bridge');
  if (bridge !== null) return (await import('./bridge')).openBridge(bridge);
  const { FakeBackend } = await import('./fake');
  return new FakeBackend(query.get('scene') ?? 'desk');
}
