// What a test started ends with its process, also when the runner's time limit or Ctrl-C ends that: `after` is not
// called then.

const endings = new Set();

/** Does this at once (nothing can be awaited) when the process ends before it is taken back. Gives what takes it back. */
export function whenCut(end) {
  endings.add(end);
  return () => endings.delete(end);
}

process.on('exit', () => {
  // The last that came stands on those before it.
  for (const end of [...endings].reverse()) {
    try {
      end();
    } catch (error) {
      console.error(`not cleared away: ${error.message}`);
    }
  }
});
for (const [signal, number] of [['SIGHUP', 1], ['SIGINT', 2], ['SIGTERM', 15]]) {
  process.once(signal, () => process.exit(128 + number));
}
