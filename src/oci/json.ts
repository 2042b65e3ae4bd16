import type { Json } from "./model.ts";

/**
 * The members of an object in the given order, unknown ones behind in bytewise order, and without what
 * is undefined, null, false or empty: what Go's `omitempty` leaves out.
 */
export function orderMembers(value: object, order: readonly string[]): [string, Json][] {
  const entries: [string, Json][] = Object.entries(value);
  const rank = new Map(order.map((key, index) => [key, index]));
  const rankOf = (key: string): number => rank.get(key) ?? order.length;
  return entries
    .filter(([, item]) => !isEmptyJson(item))
    .sort(([a], [b]) => rankOf(a) - rankOf(b) || compareBytewise(a, b));
}

/** The same value with its objects' keys in bytewise order, at every depth. */
export function sortKeys<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => sortObject(item)));
}

/** Compact JSON in UTF-8. */
export function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The value of a text that should be JSON, read as leniently as JSON.parse does; undefined where it is not JSON. */
export function tryParseJson(source: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof source === "string" ? source : Buffer.from(source).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Whether a value is one that Go's `omitempty` leaves out. */
export function isEmptyJson(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A JSON object, and neither an array nor null. */
export function isJsonObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sortObject(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareBytewise(a, b)));
}

/** By the bytes of the UTF-8 form, as Go sorts, and not by UTF-16 units. */
function compareBytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
