import { z } from "zod";
import type { RegistriesDocument, RegistryRule } from "./registries-model.ts";

const list = z
  .object({ registries: z.array(z.string()).default([]) })
  .default({ registries: [] })
  .transform(({ registries }) => registries.map((text) => text.replace(/(?<!\/)\/+$/, "")));
const oldSchema = z.object({
  registries: z
    .object({ search: list, insecure: list, block: list })
    .default({ search: [], insecure: [], block: [] }),
});

/**
 * A document of version 1 (`[registries.block]` and the like) in the words of version 2; one that says nothing in
 * version 1 as it is. Undefined for a file that mixes them or has mistakes. containers/image, `ConvertToV2`
 */
export function parseOldRegistries(
  toml: object,
  document: RegistriesDocument,
): RegistriesDocument | undefined {
  const { success, data } = oldSchema.safeParse(toml);
  if (!success) return undefined;
  const { search, insecure, block } = data.registries;
  const places = [...new Set([...block, ...insecure])];
  if (places.length + search.length === 0) return document;
  if (saysSomething(document) || places.some((one) => /^https?:\/\//.test(one))) return undefined;
  const rules = places.map((place): RegistryRule => ({
    prefix: place,
    location: place,
    insecure: insecure.includes(place),
    blocked: block.includes(place),
    mirrors: [],
  }));
  return { ...document, rules, searchRegistries: search, isOld: true };
}

function saysSomething(document: RegistriesDocument): boolean {
  const { rules, searchRegistries = [], credentialHelpers = [], aliases } = document;
  const count = rules.length + searchRegistries.length + Object.keys(aliases).length;
  return count + credentialHelpers.length > 0;
}
