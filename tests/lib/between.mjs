// A TCP line between a client and the server that a test can freeze and break, as networks do.

import { createServer, connect } from 'node:net';

export class LineBetween {
  static async to(server) {
    const line = new LineBetween();
    line.pairs = new Set();
    line.isFrozen = false;
    line.listener = createServer((near) => line.carry(near, connect(server.port, '127.0.0.1')));
    await new Promise((resolve) => line.listener.listen(0, '127.0.0.1', resolve));
    line.base = `http://127.0.0.1:${line.listener.address().port}`;
    return line;
  }

  carry(near, far) {
    const pair = [near, far];
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, into] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (!into.write(bytes)) from.pause();
      });
      into.on('drain', () => this.isFrozen || from.resume());
      from.on('end', () => into.end());
      from.on('error', end);
      from.on('close', end);
      if (this.isFrozen) from.pause();
    }
  }

  /** Nothing is read from either side any more: the kernel's buffers fill, and whoever writes on must wait. */
  freeze() {
    this.isFrozen = true;
    for (const socket of [...this.pairs].flat()) socket.pause();
  }

  thaw() {
    this.isFrozen = false;
    for (const socket of [...this.pairs].flat()) socket.resume();
  }

  /** Ends every connection at once, without a farewell. */
  break() {
    for (const socket of [...this.pairs].flat()) socket.resetAndDestroy();
  }

  close() {
    this.listener.close();
    this.break();
  }
}
