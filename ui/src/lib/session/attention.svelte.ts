/** Some window systems never say that a window is in front; then a hand on it within this time counts. */
const HAND_MS = 60_000;

/** Whether the person looks at this window: what arrives in front of nobody isn't read. */
export class Attention {
  here = $state(false);
  #handAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #page: Document;
  readonly #onHand = (): void => {
    this.#handAt = Date.now();
    this.#look();
  };
  readonly #look = (): void => {
    const sinceHand = Date.now() - this.#handAt;
    const hand = sinceHand < HAND_MS;
    this.here = this.#page.visibilityState === 'visible' && (this.#page.hasFocus() || hand);
    clearTimeout(this.#timer);
    if (hand) this.#timer = setTimeout(this.#look, HAND_MS - sinceHand);
  };

  /** The person went to another window: the hand counts no longer. */
  readonly #onBlur = (): void => {
    this.#handAt = Number.NEGATIVE_INFINITY;
    this.#look();
  };

  constructor(page: Document, window: Window) {
    this.#page = page;
    page.addEventListener('visibilitychange', this.#look);
    window.addEventListener('focus', this.#look);
    window.addEventListener('blur', this.#onBlur);
    window.addEventListener('pointerdown', this.#onHand, { capture: true });
    window.addEventListener('keydown', this.#onHand, { capture: true });
    this.#look();
    this.dispose = () => {
      clearTimeout(this.#timer);
      page.removeEventListener('visibilitychange', this.#look);
      window.removeEventListener('focus', this.#look);
      window.removeEventListener('blur', this.#onBlur);
      window.removeEventListener('pointerdown', this.#onHand, { capture: true });
      window.removeEventListener('keydown', this.#onHand, { capture: true });
    };
  }

  readonly dispose: () => void;
}
