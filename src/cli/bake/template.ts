import type { XbuildError } from "../../errors.ts";
import { isJsonObject, type Json } from "../../oci/oci.ts";
import { suggestName } from "../../suggest.ts";
import { quoteText } from "../../text.ts";
import { type BakePlace, enter, type JsonObject, refuseAt } from "./document.ts";

/** The variables that a text may name. */
export interface Scope {
  /** A variable's value; undefined where there is none of that name. */
  readonly find: (name: string) => Json | undefined;
  readonly names: () => readonly string[];
}

/** Longer texts are refused: variables of variables would grow without end. In UTF-16 units. */
const longest = 1024 * 1024;

/**
 * A value with the variables of its texts and keys put in. The syntax is that of HCL's templates as far as they name
 * variables: `${NAME}` and `${NAME.MEMBER}`; `$${` and `%%{` stand for `${` and `%{`. A text that is one variable alone
 * becomes its value, of whichever type. https://github.com/hashicorp/hcl/blob/main/json/spec.md, "Expressions".
 * Errors: `bake-file-invalid`.
 */
export function expandValue(value: Json, scope: Scope, place: BakePlace): Json {
  if (typeof value === "string") return expandText(value, scope, place);
  if (Array.isArray(value))
    return value.map((item: Json, index) => expandValue(item, scope, enter(place, index)));
  return isJsonObject(value) ? expandMembers(value, scope, place) : value;
}

function expandMembers(value: JsonObject, scope: Scope, place: BakePlace): JsonObject {
  const members = new Map<string, Json>();
  for (const [key, item] of Object.entries(value)) {
    const inner = enter(place, key);
    const name = toText(expandText(key, scope, inner), inner);
    // The reader refuses it as it stands; a variable may have it as its value.
    if (members.has(name) || name === "__proto__")
      throw refuseAt(inner, `the key ${quoteText(name)} cannot be used, or appears twice`);
    members.set(name, expandValue(item, scope, inner));
  }
  return Object.fromEntries(members);
}

function expandText(text: string, scope: Scope, place: BakePlace): Json {
  const parts = splitTemplate(text, place);
  const [first] = parts;
  if (parts.length === 1 && typeof first === "object") return readVariable(first, scope, place);
  let whole = "";
  for (const part of parts) {
    whole += typeof part === "string" ? part : toText(readVariable(part, scope, place), place);
    if (whole.length > longest)
      throw refuseAt(place, `the text has more than ${longest} characters`);
  }
  return whole;
}

/** A variable, and the members of it that are meant. */
type Reference = readonly [string, ...string[]];

const opening = /[$%]{1,2}\{/g;
// One name, whatever is behind it: the closing brace is looked for by itself.
const reference = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$/;

function splitTemplate(text: string, place: BakePlace): readonly (string | Reference)[] {
  const parts: (string | Reference)[] = [];
  let at = 0;
  for (const match of text.matchAll(opening)) {
    const [mark] = match;
    if (match.index < at) continue;
    if (mark === "$${" || mark === "%%{") {
      parts.push(text.slice(at, match.index), mark.slice(1));
      at = match.index + mark.length;
      continue;
    }
    // `%${A}`: the first of the two is a text.
    const start = match.index + mark.length - 2;
    const end = text.indexOf("}", start);
    const inner = end === -1 ? "" : text.slice(start + 2, end).trim();
    if (text[start] !== "$" || !reference.test(inner))
      throw refuseExpression(text.slice(start, end === -1 ? undefined : end + 1), place);
    const [root = "", ...members] = inner.split(".");
    parts.push(text.slice(at, start), [root, ...members]);
    at = end + 1;
  }
  parts.push(text.slice(at));
  const filled = parts.filter((part) => part !== "");
  return filled.length === 0 ? [""] : filled;
}

function refuseExpression(text: string, place: BakePlace): XbuildError {
  const message = `${quoteText(text)} is an expression, of which only variables are known: \${NAME}`;
  return refuseAt(place, message, { hint: printHint });
}

/** What helps where only buildx knows what is meant. */
export const printHint =
  "resolve the file with docker buildx bake --print, and name what that prints with -f";

function readVariable([root, ...members]: Reference, scope: Scope, place: BakePlace): Json {
  const shown = quoteText(["", root, ...members].join(".").slice(1));
  let value = scope.find(root);
  if (value === undefined) throw unknownVariable(root, members.length > 0, { scope, place });
  for (const member of members) {
    const inner: Json | undefined =
      isJsonObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
    if (inner === undefined) throw refuseAt(place, `the variable ${shown} has no such member`);
    value = inner;
  }
  return value;
}

function unknownVariable(
  name: string,
  hasMembers: boolean,
  { scope, place }: { readonly scope: Scope; readonly place: BakePlace },
): XbuildError {
  if (hasMembers && (name === "target" || name === "group"))
    return refuseAt(place, `a value of another ${name} is an expression`, { hint: printHint });
  const near = suggestName(name, scope.names());
  const hint =
    near === undefined ? `declare it: "variable": { "${name}": {} }` : `did you mean ${near}?`;
  return refuseAt(place, `there is no variable ${quoteText(name)}`, { hint });
}

function toText(value: Json, place: BakePlace): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return renderNumber(value, place);
  if (typeof value === "boolean") return String(value);
  const what = value === null ? "null" : "a list or an object";
  throw refuseAt(place, `a variable in the text is ${what}`, {
    hint: "use variables that are texts, numbers or booleans there",
  });
}

/** As HCL writes it, where JavaScript's numbers can tell; the rest is refused. */
export function renderNumber(value: number, place: BakePlace): string {
  const text = String(value);
  if (!text.includes("e") && (!Number.isInteger(value) || Number.isSafeInteger(value))) return text;
  throw refuseAt(place, "the number is too large or too small", { hint: "put it in quotes" });
}
