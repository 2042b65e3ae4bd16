import type { Json } from "../../oci/oci.ts";
import { assertReferences } from "./chains.ts";
import { decodeBody } from "./decode.ts";
import type { Block, Definition } from "./definition.ts";
import { type BakePlace, enter, refuseAt } from "./document.ts";
import { variableSchema } from "./schema.ts";
import { convertText, parseType } from "./variable-types.ts";
import { expandValue, printHint, type Scope } from "./template.ts";

/** What variables are set to from outside of the file. */
export interface Surroundings {
  /** The environment, and over it what --var says. */
  readonly lookUp: (name: string) => string | undefined;
  /** Variables that are there by themselves; nothing overrides them. */
  readonly builtIn: ReadonlyMap<string, string>;
}

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
    assertReferences(chain, name, place);
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
  return { ...decodeBody(variableSchema, rest, place), default: given };
}
