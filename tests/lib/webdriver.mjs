// WebDriver over plain HTTP: just what one window needs.

import { setTimeout as pause } from 'node:timers/promises';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const WITHIN_MS = 20_000;
const POLL_MS = 100;

export class Window {
  /** Starts the app through a running driver and takes hold of its first window. */
  static async open(driver, application, args) {
    const window = new Window();
    window.driver = driver;
    const capabilities = { alwaysMatch: { browserName: 'wry', 'tauri:options': { application, args } } };
    const { sessionId } = await window.request('POST', '/session', { capabilities });
    window.path = `/session/${sessionId}`;
    return window;
  }

  async request(method, path, body) {
    const init = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'content-type': 'application/json' };
    }
    const response = await fetch(`${this.driver}${path}`, init);
    const { value } = await response.json();
    if (!response.ok) {
      const error = new Error(`${method} ${path}: ${value?.error} ${value?.message ?? ''}`);
      error.code = value?.error;
      throw error;
    }
    return value;
  }

  command(method, path, body) {
    return this.request(method, this.path + path, body);
  }

  /** Runs a function body in the page. */
  script(text, ...args) {
    return this.command('POST', '/execute/sync', { script: text, args });
  }

  async elements(css) {
    return this.command('POST', '/elements', { using: 'css selector', value: css });
  }

  /** Waits until the page has it, and it is shown; an optional text must be inside. */
  async find(css, { text, within = WITHIN_MS } = {}) {
    const seen = `return [...document.querySelectorAll(arguments[0])].findIndex((one) =>
      one.getClientRects().length > 0 && (arguments[1] === null || one.textContent.includes(arguments[1])))`;
    let index = -1;
    await this.until(async () => (index = await this.script(seen, css, text ?? null)) >= 0, `${css}${text ? ` with “${text}”` : ''}`, within);
    return (await this.elements(css))[index];
  }

  /** Finds by data-testid. */
  byId(name, options) {
    return this.find(`[data-testid="${name}"]`, options);
  }

  async click(element) {
    await this.command('POST', `/element/${element[ELEMENT]}/click`, {});
  }

  async type(element, text) {
    await this.command('POST', `/element/${element[ELEMENT]}/value`, { text });
  }

  async until(holds, what, within = WITHIN_MS) {
    const deadline = Date.now() + within;
    for (;;) {
      if (await holds()) return;
      if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}\nthe page says: ${await this.words()}`);
      await pause(POLL_MS);
    }
  }

  async gone(css, within = WITHIN_MS) {
    await this.until(async () => (await this.script('return document.querySelectorAll(arguments[0]).length', css)) === 0, `${css} gone`, within);
  }

  /** Does something in the app's other window, as soon as that is there. */
  async inOther(work) {
    const own = await this.command('GET', '/window');
    let other;
    await this.until(async () => (other = (await this.command('GET', '/window/handles')).find((handle) => handle !== own)), 'a second window');
    await this.command('POST', '/window', { handle: other });
    try {
      return await work();
    } finally {
      await this.command('POST', '/window', { handle: own });
    }
  }

  /** What a person could read, for error texts. */
  async words() {
    return (await this.script('return document.body.innerText')).replaceAll(/\s+/g, ' ').slice(0, 600);
  }

  /** Where an element lies inside the window, in device pixels. */
  async place(element) {
    return this.script(
      `const { x, y, width, height } = arguments[0].getBoundingClientRect(); const k = window.devicePixelRatio;
       return { x: x * k, y: y * k, width: width * k, height: height * k }`,
      element,
    );
  }

  async close() {
    await this.command('DELETE', '');
  }
}
