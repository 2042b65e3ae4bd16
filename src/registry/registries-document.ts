import { parse } from "smol-toml";
import { z } from "zod";
import { isHost } from "../oci/oci.ts";
import type { RegistriesDocument, RegistryRule } from "./registries-model.ts";
import { parseOldRegistries } from "./registries-old.ts";

/** The credential helper that stands for the auth files. */
export const authFileHelper = "containers-auth.json";

const location = z
  .string()
  .refine((text) => !/^https?:\/\//.test(text))
  .transform((text) => text.replace(/(?<!\/)\/+$/, ""));
const mirror = z.object({
  location: location.refine((text) => text !== ""),
  insecure: z.boolean().default(false),
  "pull-from-mirror": z.enum(["", "all", "digest-only", "tag-only"]).default(""),
});
const rule = z
  .object({
    prefix: location.default(""),
    location: location.default(""),
    insecure: z.boolean().default(false),
    blocked: z.boolean().default(false),
    mirror: z.array(mirror).default([]),
    "mirror-by-digest-only": z.boolean().default(false),
    "pull-from-mirror": z.literal("").optional(),
  })
  .refine(({ prefix, location }) => location !== "" || prefix.startsWith("*."))
  .refine(({ prefix }) => !prefix.startsWith("*.") || !/[/@:]/.test(prefix))
  .refine(
    (found) =>
      !found["mirror-by-digest-only"] ||
      found.mirror.every((one) => one["pull-from-mirror"] === ""),
  )
  .transform(({ prefix, location, insecure, blocked, ...found }): RegistryRule => {
    const byDefault = found["mirror-by-digest-only"] ? "digest-only" : "all";
    const mirrors = found.mirror.map((one) => ({
      location: one.location,
      insecure: one.insecure,
      pulls: one["pull-from-mirror"] || byDefault,
    }));
    return { prefix: prefix === "" ? location : prefix, location, insecure, blocked, mirrors };
  });

const documentSchema = z.object({
  registry: z.array(rule).default([]).refine(agree),
  "unqualified-search-registries": z.array(location.refine((text) => isHost(text))).optional(),
  "credential-helpers": z
    .array(z.string())
    .transform((names) => (names.length === 0 ? [authFileHelper] : names))
    .optional(),
  "short-name-mode": z.enum(["", "disabled", "enforcing", "permissive"]).optional(),
  aliases: z.record(z.string(), z.string()).default({}),
});

/**
 * A file in the format of containers-registries.conf(5), also its old version 1, or undefined where it is not one:
 * as with skopeo, one mistake spoils a file (containers/image, `postProcessRegistries`).
 */
export function parseRegistriesDocument(text: string): RegistriesDocument | undefined {
  const toml = parseToml(text);
  if (toml === undefined) return undefined;
  const { success, data } = documentSchema.safeParse(toml);
  if (!success) return undefined;
  const document: RegistriesDocument = {
    rules: dropRepeated(data.registry),
    searchRegistries: data["unqualified-search-registries"],
    credentialHelpers: data["credential-helpers"],
    aliases: data.aliases,
    isOld: false,
  };
  return parseOldRegistries(toml, document);
}

function parseToml(text: string): object | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** One place is blocked, or goes without verification, under all its prefixes or under none. */
function agree(rules: readonly RegistryRule[]): boolean {
  const settings = new Map<string, string>();
  return rules.every(({ prefix, location, insecure, blocked }) => {
    const place = location || prefix;
    const setting = `${insecure} ${blocked}`;
    const known = settings.get(place) ?? setting;
    settings.set(place, known);
    return known === setting;
  });
}

/** Of several tables with one prefix in a file the first counts. */
function dropRepeated(rules: readonly RegistryRule[]): readonly RegistryRule[] {
  return [...new Map(rules.toReversed().map((one) => [one.prefix, one])).values()].toReversed();
}
