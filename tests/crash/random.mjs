// Chance that can be repeated: the same seed gives the same plan, whoever asks first.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A generator of its own for one part of the plan, so that parts don't disturb each other. */
  static for(seed, ...labels) {
    let hash = seed >>> 0;
    for (const char of labels.join('/')) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
    return new Random(hash);
  }

  /** From 0 to just below 1 (mulberry32). */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }
}
