import { parse } from "smol-toml";
import { z } from "zod";

/** What a `[[registry]]` table says of the names below its prefix. */
export interface RegistryRule {
  /** `host[:port][/path]`, or `*.host`. */
  readonly prefix: string;
  /** What stands in the prefix's place, `host[:port][/path]`; "" (with `*.host` alone): nothing does. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
}

/** One file. What it does not mention stays as the files before it have it. */
export interface RegistriesDocument {
  readonly rules: readonly RegistryRule[];
  readonly searchRegistries: readonly string[] | undefined;
  readonly credentialHelpers: readonly string[] | undefined;
  /** Short names and names in full; "" takes a short name back. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** The credential helper that stands for the auth files. */
export const authFileHelper = "containers-auth.json";

const location = z
  .string()
  .refine((text) => !/^https?:\/\//.test(text))
  .transform((text) => text.replace(/\/+$/, ""));
const rule = z
  .object({
    prefix: location.default(""),
    location: location.default(""),
    insecure: z.boolean().default(false),
    blocked: z.boolean().default(false),
  })
  .refine(({ prefix, location }) => location !== "" || prefix.startsWith("*."))
  .refine(({ prefix }) => !prefix.startsWith("*.") || !/[/@:]/.test(prefix))
  .transform((found) => (found.prefix === "" ? { ...found, prefix: found.location } : found));
const documentSchema = z.object({
  registry: z.array(rule).default([]),
  "unqualified-search-registries": z.array(location).optional(),
  "credential-helpers": z
    .array(z.string())
    .transform((names) => (names.length === 0 ? [authFileHelper] : names))
    .optional(),
  aliases: z.record(z.string(), z.string()).default({}),
});

/**
 * A file in version 2 of the format of containers-registries.conf(5), or undefined where it is not one:
 * the old version 1 (`[registries.search]`) says nothing here. As with skopeo, one mistake spoils a file.
 */
export function parseRegistriesDocument(text: string): RegistriesDocument | undefined {
  const { success, data } = documentSchema.safeParse(parseToml(text));
  if (!success) return undefined;
  return {
    rules: data.registry,
    searchRegistries: data["unqualified-search-registries"],
    credentialHelpers: data["credential-helpers"],
    aliases: data.aliases,
  };
}

function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
