/** So much of what others say is looked at; in UTF-16 units. */
const longestMessage = 16 * 1024;

/**
 * A text of a program or a registry, cut in its middle where it is longer than that: before it is matched
 * against patterns or shown. Its beginning and its end are where messages say what they mean.
 */
export function limitText(text: string, length: number = longestMessage): string {
  if (text.length <= length) return text;
  const half = Math.floor((length - 5) / 2);
  return `${text.slice(0, half)} ... ${text.slice(-half)}`;
}

/** Some of a list in words, and how many more there are: an error about 8,000 things names a few. */
export function listSome(items: readonly string[], most = 10, separator = ", "): string {
  const shown = items.slice(0, most).join(separator);
  const more = items.length - most;
  return more > 0 ? `${shown}${separator}and ${more} more` : shown;
}

/** A foreign name in a message: in quotes, on one line, cut where it is longer than that. */
export function quoteText(text: string, length = 100): string {
  return JSON.stringify(limitText(text, length));
}

/** A text as one word of a POSIX shell, whatever is in it. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Whether a line of a text has the one and, behind it, the other: `one.*other`, which would take quadratic time. */
export function hasInOrder(text: string, one: RegExp, other: RegExp): boolean {
  return text.split(/[\n\r\u2028\u2029]/).some((line) => {
    const found = one.exec(line);
    return found !== null && other.test(line.slice(found.index + found[0].length));
  });
}

/** What stands between the first `begin` and the `end` that follows; undefined where there is none. */
export function textBetween(text: string, begin: string, end: string): string | undefined {
  const start = text.indexOf(begin);
  const stop = start === -1 ? -1 : text.indexOf(end, start + begin.length);
  return stop === -1 ? undefined : text.slice(start + begin.length, stop);
}
