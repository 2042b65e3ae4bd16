import { quoteItem } from "../../engine/engine.ts";

/** The fields of one record of CSV (RFC 4180, section 2); undefined where its quotes do not fit. */
export function splitFields(text: string): readonly string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  do {
    const isQuoted = text[at] === '"';
    const end = isQuoted ? findQuote(text, at + 1) : findComma(text, at);
    if (end === undefined) return undefined;
    const raw = text.slice(isQuoted ? at + 1 : at, end);
    if (!isQuoted && raw.includes('"')) return undefined;
    fields.push(isQuoted ? raw.replaceAll('""', '"') : raw);
    at = isQuoted ? end + 1 : end;
    if (at < text.length && text[at] !== ",") return undefined;
    at += 1;
  } while (at <= text.length);
  return fields;
}

function findComma(text: string, from: number): number {
  const comma = text.indexOf(",", from);
  return comma === -1 ? text.length : comma;
}

/** The quote that closes: not one of two. */
function findQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2))
    if (text[at + 1] !== '"') return at;
  return undefined;
}

/** `key=value,...`, a pair in quotes where it has a comma or a quote. */
export function joinPairs(pairs: Iterable<readonly [string, string]>): string {
  return [...pairs].map(([key, value]) => quoteItem(`${key}=${value}`)).join(",");
}
