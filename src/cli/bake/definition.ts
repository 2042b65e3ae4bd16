import { isJsonObject, type Json } from "../../oci/oci.ts";
import { type BakeDocument, type BakePlace, enter, type JsonObject, refuseAt } from "./document.ts";
import { printHint } from "./template.ts";

/** A block of a bake file as it stands: `target "app" { ... }`. */
export interface Block {
  readonly name: string;
  readonly body: JsonObject;
  readonly place: BakePlace;
}

/** A value beside the blocks, which texts may name like a variable. */
export interface LocalValue {
  readonly value: Json;
  readonly place: BakePlace;
}

/** The blocks of all bake files, in their order; of variables and values of one name the last. */
export interface Definition {
  readonly groups: readonly Block[];
  readonly targets: readonly Block[];
  readonly variables: ReadonlyMap<string, Block>;
  readonly locals: ReadonlyMap<string, LocalValue>;
}

/**
 * Takes bake files apart. Blocks stand as HCL's JSON has them: an object by name or a list of such, a body or a list
 * of bodies. https://github.com/hashicorp/hcl/blob/main/json/spec.md, "Blocks". Errors: `bake-file-invalid`.
 */
export function readDefinition(documents: readonly BakeDocument[]): Definition {
  const members = documents.flatMap(({ value, place }) =>
    Object.entries(value).map(([key, item]) => ({ key, value: item, place: enter(place, key) })),
  );
  const functions = members.find(({ key }) => key === "function");
  if (functions !== undefined)
    throw refuseAt(functions.place, "functions are not known here", { hint: printHint });
  const blocks = (type: string): readonly Block[] =>
    members.filter(({ key }) => key === type).flatMap((one) => readBlocks(one.value, one.place));
  const locals = members.filter(({ key }) => !reserved.has(key));
  return {
    groups: blocks("group"),
    targets: blocks("target"),
    variables: new Map(blocks("variable").map((one) => [one.name, one])),
    locals: new Map(locals.map(({ key, ...one }) => [key, one])),
  };
}

/** `//` is a comment. */
const comment = "//";
const reserved: ReadonlySet<string> = new Set(["group", "target", "variable", "function", comment]);

function readBlocks(value: Json, place: BakePlace): readonly Block[] {
  return listObjects(value, place).flatMap((labels) =>
    Object.entries(labels.value)
      .filter(([name]) => name !== comment)
      .flatMap(([name, body]) =>
        listObjects(body, enter(labels.place, name)).map((one) => ({
          name,
          body: omitComments(one.value),
          place: one.place,
        })),
      ),
  );
}

function listObjects(
  value: Json,
  place: BakePlace,
): readonly { readonly value: JsonObject; readonly place: BakePlace }[] {
  if (isJsonObject(value)) return [{ value, place }];
  if (!Array.isArray(value)) throw refuseAt(place, "an object is expected here");
  return value.map((item: Json, index) => {
    const inner = enter(place, index);
    if (isJsonObject(item)) return { value: item, place: inner };
    throw refuseAt(inner, "an object is expected here");
  });
}

function omitComments(body: JsonObject): JsonObject {
  if (!Object.hasOwn(body, comment)) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => key !== comment));
}
