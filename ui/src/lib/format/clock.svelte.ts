/** What depends on the hour is drawn anew this often. */
const EVERY_MS = 15_000;

/** The time, for what is shown relative to it: day names, local clocks, days left. */
export class Clock {
  now = $state(Date.now());
  readonly #timer = setInterval(() => (this.now = Date.now()), EVERY_MS);

  dispose(): void {
    clearInterval(this.#timer);
  }
}
