/** One way to identify oneself that a registry offers. RFC 9110, section 11.6.1 */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const pattern =
  /(?<name>[A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^\s,]*)))?/g;

/** What a WWW-Authenticate header offers, in its order; several headers are one with commas between them. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  for (const { groups } of header.matchAll(pattern)) {
    const { name = "", quoted, plain } = groups ?? {};
    const value = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    if (value === undefined) found.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found;
}
