/** One or two letters that stand for a person: of the first and the last word, in any script. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = words[0];
  if (first === undefined) return '?';
  const letter = (word: string): string => [...word][0]?.toLocaleUpperCase() ?? '';
  const last = words.at(-1);
  return words.length === 1 || last === undefined ? letter(first) : letter(first) + letter(last);
}
