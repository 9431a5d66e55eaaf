import type { AppEvent } from '../generated/types';

/** Who hears the events, in the order in which they came. A listener that throws doesn't silence the others. */
export class Listeners {
  readonly #hearing = new Set<(event: AppEvent) => void>();

  get count(): number {
    return this.#hearing.size;
  }

  add(hear: (event: AppEvent) => void): () => void {
    this.#hearing.add(hear);
    return () => this.#hearing.delete(hear);
  }

  tell(event: AppEvent): void {
    for (const hear of [...this.#hearing]) {
      try {
        hear(event);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}
