import type { XbuildError } from "../../errors.ts";
import type { Json } from "../../oci/oci.ts";
import { quoteText } from "../../text.ts";
import { readBoolean } from "../line/arguments.ts";
import { splitFields } from "./csv.ts";
import { type BakePlace, refuseAt } from "./document.ts";

/** What a variable that is set from outside becomes. */
type VariableType =
  | "string"
  | "number"
  | "bool"
  | readonly ["string" | "number" | "bool"]
  | "other";

export interface ConvertedVariable {
  readonly name: string;
  readonly place: BakePlace;
  readonly type: VariableType | undefined;
}

/** https://github.com/hashicorp/hcl/tree/main/ext/typeexpr; undefined where the default decides. */
export function parseType(text: string | undefined, place: BakePlace): VariableType | undefined {
  if (text === undefined || text === "any") return undefined;
  const inner = /^(?:list|set)\((string|number|bool)\)$/.exec(text)?.[1];
  if (isPrimitive(text)) return text;
  if (inner !== undefined && isPrimitive(inner)) return [inner];
  if (/^(?:list|set|map|tuple|object)\(/.test(text)) return "other";
  throw refuseAt(place, `${quoteText(text)} is not a type`, {
    hint: "use string, number, bool, or list(string)",
  });
}

function isPrimitive(text: string): text is "string" | "number" | "bool" {
  return text === "string" || text === "number" || text === "bool";
}

/** What a variable becomes that is set to a text. Errors: `bake-file-invalid`. */
export function convertText(
  text: string,
  fallback: Json | undefined,
  variable: ConvertedVariable,
): Json {
  const type = variable.type ?? guessType(fallback);
  if (typeof type === "string") return convertPrimitive(text, type, variable);
  const fields = splitFields(text);
  if (fields === undefined) throw refuseValue(text, "a list with commas", variable);
  return fields.map((field) => convertPrimitive(field, type[0], variable));
}

function guessType(fallback: Json | undefined): VariableType {
  if (typeof fallback === "number") return "number";
  if (typeof fallback === "boolean") return "bool";
  return typeof fallback === "object" && fallback !== null ? "other" : "string";
}

function convertPrimitive(
  text: string,
  type: "string" | "number" | "bool" | "other",
  variable: ConvertedVariable,
): Json {
  if (type === "string") return text;
  if (type === "bool") {
    const value = readBoolean(text);
    if (value === undefined) throw refuseValue(text, "true or false", variable);
    return value;
  }
  if (type === "number") {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      throw refuseValue(text, "a number", variable);
    return value;
  }
  const message = `the variable ${variable.name} is set from outside, and its type is not one that can be`;
  throw refuseAt(variable.place, message, {
    hint: `unset ${variable.name}, or give it the type list(string)`,
  });
}

function refuseValue(
  text: string,
  wanted: string,
  { name, place }: ConvertedVariable,
): XbuildError {
  return refuseAt(
    place,
    `the variable ${name} is set to ${quoteText(text)}, which is not ${wanted}`,
    {
      hint: `correct ${name} in the environment or in --var`,
    },
  );
}
