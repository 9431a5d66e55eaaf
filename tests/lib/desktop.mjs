// A desktop of our own: a display, a message bus, and drivers for the apps on it. All of it ends with the test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { whenCut } from './ending.mjs';

const OUT = process.env.PARLEY_OUT ?? 'out';

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function firstLine(stream) {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0].trim());
    });
    stream.on('end', () => reject(new Error('ended without a line')));
  });
}

export class Desktop {
  /** Opens a display of this size. Programs on it see of our environment what they need, and variables of these names. */
  static async open(width, height, names = /^$/) {
    const desktop = new Desktop();
    desktop.children = [];
    desktop.home = mkdtempSync(join(tmpdir(), 'parley-desktop-'));
    desktop.withdraw = whenCut(() => desktop.end());
    desktop.logs = join(OUT, 'logs');
    mkdirSync(desktop.logs, { recursive: true });
    try {
      await desktop.begin(width, height, names);
    } catch (error) {
      // What did begin would keep this process waiting.
      await desktop.close();
      throw error;
    }
    return desktop;
  }

  async begin(width, height, names) {
    const display = this.start('Xvfb', ['-displayfd', '1', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-dpi', '96'], process.env);
    const number = await firstLine(display.stdout);
    const bus = this.start('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address=1'], process.env);
    const address = await firstLine(bus.stdout);
    const runtime = join(this.home, 'runtime');
    mkdirSync(runtime, { mode: 0o700 });
    this.environment = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name))),
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      HOME: this.home,
      XDG_RUNTIME_DIR: runtime,
      DISPLAY: `:${number}`,
      DBUS_SESSION_BUS_ADDRESS: address,
      // No graphics driver: the accelerated path would show nothing.
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
      GDK_BACKEND: 'x11',
      NO_AT_BRIDGE: '1',
    };
  }

  /** In a group of its own, so that what it starts ends with it. */
  start(program, args, env, log) {
    const output = log ? openSync(join(this.logs, log), 'w') : 'pipe';
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', output, output] });
    child.once('error', (error) => {
      child.failure = error;
    });
    this.children.push(child);
    return child;
  }

  /** A tauri-driver with a WebKitWebDriver behind it; gives its address. */
  async driver(name) {
    const [port, native] = [await freePort(), await freePort()];
    const program = process.env.TAURI_DRIVER ?? 'tauri-driver';
    const child = this.start(program, ['--port', `${port}`, '--native-port', `${native}`], this.environment, `driver-${name}.log`);
    const address = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + 20_000;
    for (;;) {
      if (child.failure) throw child.failure;
      try {
        if ((await fetch(`${address}/status`)).ok) return address;
      } catch {
        // Not yet listening.
      }
      if (Date.now() > deadline) throw new Error(`no driver: ${readFileSync(join(this.logs, `driver-${name}.log`), 'utf8')}`);
      await pause(50);
    }
  }

  /** Runs a program on this display to its end; its output as bytes. */
  run(program, ...args) {
    const result = spawnSync(program, args, { env: this.environment, maxBuffer: 64 << 20 });
    if (result.error) throw result.error;
    return { ok: result.status === 0, bytes: result.stdout, text: result.stdout.toString().trim(), errors: result.stderr.toString() };
  }

  /** The shown window of this title, as soon as it is there; null if `within` passes. */
  async windowOf(title, within) {
    const deadline = Date.now() + within;
    for (;;) {
      const found = this.run('xdotool', 'search', '--onlyvisible', '--name', title);
      if (found.ok && found.text) return found.text.split('\n').at(-1);
      if (Date.now() > deadline) return null;
      await pause(100);
    }
  }

  /** Where a window lies on the display. */
  placeOf(window) {
    const words = this.run('xdotool', 'getwindowgeometry', '--shell', window).text;
    const number = (name) => Number(words.match(new RegExp(`^${name}=(-?\\d+)$`, 'm'))?.[1]);
    return { x: number('X'), y: number('Y'), width: number('WIDTH'), height: number('HEIGHT') };
  }

  /** A key as from a keyboard, into one window. */
  press(window, key) {
    this.run('xdotool', 'windowfocus', '--sync', window);
    this.run('xdotool', 'key', '--clearmodifiers', key);
  }

  /** Keeps what is on the display (or on a part of it: WIDTHxHEIGHT+X+Y) for people to look at. */
  shoot(name, geometry) {
    const folder = join(OUT, 'screenshots');
    mkdirSync(folder, { recursive: true });
    const crop = geometry ? ['-crop', geometry, '+repage'] : [];
    const shot = this.run('import', '-window', 'root', ...crop, join(folder, `${name}.png`));
    if (!shot.ok) throw new Error(`no screenshot: ${shot.errors}`);
  }

  /** The grey values of a part of the display, scaled to columns × rows. */
  grey({ x, y, width, height }, columns, rows) {
    const crop = `${Math.round(width)}x${Math.round(height)}+${Math.round(x)}+${Math.round(y)}`;
    const { ok, bytes, errors } = this.run(
      'import', '-window', 'root', '-crop', crop, '+repage', '-filter', 'Box', '-resize', `${columns}x${rows}!`, '-colorspace', 'Gray', '-depth', '8', 'gray:-',
    );
    if (!ok || bytes.length !== columns * rows) throw new Error(`no pixels (${bytes.length}): ${errors}`);
    return bytes;
  }

  /** Ends everything that was started here, and what that started. */
  async close() {
    for (const child of this.children.toReversed()) {
      if (signal(child, 'SIGTERM')) await pause(300);
    }
    this.end();
    this.withdraw();
  }

  /** The same without a farewell, at once. */
  end() {
    for (const child of this.children.toReversed()) signal(child, 'SIGKILL');
    // Whoever was killed just now may still be writing.
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** To the whole group of a child; whether any of it was left. */
function signal(child, name) {
  // Without a number it never began; a signal to “group -undefined” must not become one to our own.
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, name);
  } catch {
    return false;
  }
}
