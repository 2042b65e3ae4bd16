import type { XbuildError } from "../../errors.ts";
import type { Json } from "../../oci/oci.ts";
import { quoteText } from "../../text.ts";
import { splitFields } from "./csv.ts";
import { decodeBody } from "./decode.ts";
import type { Block, Definition } from "./definition.ts";
import { type BakePlace, enter, refuseAt } from "./document.ts";
import { variableSchema } from "./schema.ts";
import { expandValue, printHint, type Scope } from "./template.ts";

/** What variables are set to from outside of the file. */
export interface Surroundings {
  /** The environment, and over it what --var says. */
  readonly lookUp: (name: string) => string | undefined;
  /** Variables that are there by themselves; nothing overrides them. */
  readonly builtIn: ReadonlyMap<string, string>;
}

/** A chain of variables that is longer than this is refused. */
const longestChain = 100;

/**
 * The variables of bake files, each worked out when it is first asked for, and all of them in the end: a fault is a
 * fault, used or not. Errors: `bake-file-invalid`.
 */
export function createScope(
  definition: Pick<Definition, "variables" | "locals">,
  surroundings: Surroundings,
): Scope {
  const { variables, locals } = definition;
  const known = new Map<string, Json>(surroundings.builtIn);
  const chain: string[] = [];
  const names = (): readonly string[] => [...known.keys(), ...locals.keys(), ...variables.keys()];
  const find = (name: string): Json | undefined => {
    if (known.has(name)) return known.get(name);
    const local = locals.get(name);
    const block = variables.get(name);
    const place = local?.place ?? block?.place;
    if (place === undefined) return undefined;
    assertEnds(chain, name, place);
    chain.push(name);
    const scope = { find, names };
    const value =
      local === undefined
        ? block && readVariable(block, scope, surroundings)
        : expandValue(local.value, scope, local.place);
    chain.pop();
    if (value !== undefined) known.set(name, value);
    return value;
  };
  for (const name of [...variables.keys(), ...locals.keys()]) find(name);
  return { find, names };
}

function assertEnds(chain: readonly string[], name: string, place: BakePlace): void {
  if (chain.includes(name)) {
    const circle = [...chain.slice(chain.indexOf(name)), name].join(" -> ");
    throw refuseAt(place, `variables refer to each other in a circle: ${circle}`);
  }
  if (chain.length >= longestChain)
    throw refuseAt(place, `more than ${longestChain} variables refer to each other in a chain`);
}

function readVariable({ name, body, place }: Block, scope: Scope, { lookUp }: Surroundings): Json {
  if (Object.hasOwn(body, "validation"))
    throw refuseAt(enter(place, "validation"), "a validation is an expression", {
      hint: printHint,
    });
  const { default: given, type } = decodeVariable(body, place);
  const fallback =
    given === undefined ? undefined : expandValue(given, scope, enter(place, "default"));
  const text = lookUp(name);
  const target = {
    name,
    place: enter(place, "default"),
    type: parseType(type, enter(place, "type")),
  };
  if (text !== undefined) return convertText(text, fallback, target);
  if (fallback !== undefined) return fallback;
  return type === undefined ? "" : null;
}

function decodeVariable(body: Block["body"], place: BakePlace) {
  const { default: given, ...rest } = body;
  const keys = ["default", "description", "type"];
  const decoded = decodeBody(variableSchema.omit({ default: true }), { body: rest, keys }, place);
  return { ...decoded, default: given };
}

/** What a variable from outside becomes. */
type VariableType =
  | "string"
  | "number"
  | "bool"
  | readonly ["string" | "number" | "bool"]
  | "other";

interface ConvertedVariable {
  readonly name: string;
  readonly place: BakePlace;
  readonly type: VariableType | undefined;
}

/** https://github.com/hashicorp/hcl/tree/main/ext/typeexpr; undefined where the default decides. */
function parseType(text: string | undefined, place: BakePlace): VariableType | undefined {
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

function convertText(text: string, fallback: Json | undefined, variable: ConvertedVariable): Json {
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

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false] as const),
]);

function convertPrimitive(
  text: string,
  type: "string" | "number" | "bool" | "other",
  variable: ConvertedVariable,
): Json {
  if (type === "string") return text;
  if (type === "bool") {
    const value = booleans.get(text);
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
