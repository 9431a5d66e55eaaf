/** What the window remembers between two starts: looks and sizes, never anything of the account. */
export interface Memory {
  read<T>(key: string): T | null;
  write(key: string, value: unknown): void;
}

/** The web view's own storage; where it is forbidden, nothing is remembered and nothing breaks. */
export function browserMemory(): Memory {
  return {
    read<T>(key: string): T | null {
      try {
        const text = localStorage.getItem(`parley.${key}`);
        return text === null ? null : (JSON.parse(text) as T);
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        localStorage.setItem(`parley.${key}`, JSON.stringify(value));
      } catch {
        // Remembering a size is not worth an error.
      }
    },
  };
}

/** For tests. */
export function shortMemory(): Memory {
  const kept = new Map<string, unknown>();
  return {
    read: <T>(key: string) => (kept.get(key) as T | undefined) ?? null,
    write: (key, value) => void kept.set(key, value),
  };
}
