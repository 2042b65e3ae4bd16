import { decodeBytes, skipSpaces } from "./text.ts";

/** What an argument is by BuildKit's rules: JSON strings, an array of other things, or no JSON at all. */
export type JsonForm =
  | { readonly kind: "strings"; readonly strings: readonly string[] }
  | { readonly kind: "not-strings" }
  | { readonly kind: "none" };

/** Go's decoder gives up beyond this depth, and the argument is then no JSON. */
const maxDepth = 10_000;

/** Anything behind the array, or a mistake in it, makes the argument an ordinary one. */
export function readJsonForm(args: string): JsonForm {
  const start = skipSpaces(args, 0);
  if (args[start] !== "[") return { kind: "none" };
  const value = parseJson(decodeBytes(args.slice(start)));
  if (!Array.isArray(value) || !isRepresentable(value)) return { kind: "none" };
  const strings = value.filter((item) => typeof item === "string");
  return strings.length === value.length ? { kind: "strings", strings } : { kind: "not-strings" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether Go could hold it: no number out of range, not nested too deeply. */
function isRepresentable(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return false;
    if (level.some((item) => typeof item === "number" && !Number.isFinite(item))) return false;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? Object.values(item) : [],
    );
  }
  return true;
}
