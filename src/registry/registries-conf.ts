import { readFile } from "node:fs/promises";
import { hubHost, normaliseRepository, splitName } from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import type { Environment } from "./access.ts";
import { authFileHelper, parseRegistriesDocument } from "./registries-document.ts";
import { listRegistriesFiles, recordedAliasesPath } from "./registries-files.ts";
import type { RegistriesDocument, RegistryRule } from "./registries-model.ts";

/** What registries.conf and its drop-ins say together. containers-registries.conf(5) */
export interface RegistriesConf {
  /** One a prefix, in the prefixes' bytewise order. */
  readonly rules: readonly RegistryRule[];
  readonly searchRegistries: readonly string[];
  /** Where credentials are looked for, in order; `containers-auth.json` stands for the auth files. */
  readonly credentialHelpers: readonly string[];
  readonly aliases: ReadonlyMap<string, string>;
  /** Whether a file cannot be read or has a mistake: then skopeo asks no registry, and says what is wrong. */
  readonly isBroken: boolean;
}

const nothing: RegistriesConf = {
  rules: [],
  searchRegistries: [],
  credentialHelpers: [authFileHelper],
  aliases: new Map(),
  isBroken: false,
};

/**
 * Reads the configuration of the user or of the machine. Files that are missing say nothing; what is broken
 * says nothing but that.
 * @param root stands before /etc and /var
 */
export async function readRegistriesConf(env: Environment, root = "/"): Promise<RegistriesConf> {
  const { main, isRequired, dropIns } = await listRegistriesFiles(env, root);
  let conf = merge(nothing, await readDocument(main), { isRequired });
  for (const path of dropIns) {
    const document = await readDocument(path);
    const isOld = typeof document === "object" && document.isOld;
    conf = merge(conf, isOld ? "broken" : document, { isRequired: false });
  }
  const recorded = await readDocument(recordedAliasesPath(env, root));
  if (typeof recorded !== "object") return conf;
  return { ...conf, aliases: mergeAliases(conf.aliases, recorded.aliases) };
}

/**
 * A short name (no registry, no tag) in full: an alias, or in the one registry that unqualified names are
 * looked for in. Undefined where that is no registry or several, or the name has a registry.
 */
export function resolveShortName(conf: RegistriesConf, name: string): string | undefined {
  if (splitName(name).host !== undefined) return undefined;
  const alias = conf.aliases.get(name);
  if (alias !== undefined) return completeName(alias);
  const [registry, ...others] = conf.searchRegistries;
  if (registry === undefined || others.length > 0) return undefined;
  return completeName(`${registry}/${name}`);
}

async function readDocument(path: string): Promise<RegistriesDocument | "missing" | "broken"> {
  try {
    const text = await ifPresent(readFile(path, "utf8"));
    return text === undefined ? "missing" : (parseRegistriesDocument(text) ?? "broken");
  } catch {
    return "broken";
  }
}

function merge(
  conf: RegistriesConf,
  document: RegistriesDocument | "missing" | "broken",
  { isRequired }: { readonly isRequired: boolean },
): RegistriesConf {
  if (document === "missing" && !isRequired) return conf;
  if (typeof document !== "object") return { ...conf, isBroken: true };
  const rules = new Map([...conf.rules, ...document.rules].map((rule) => [rule.prefix, rule]));
  return {
    ...conf,
    rules: [...rules.values()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1)),
    searchRegistries: document.searchRegistries ?? conf.searchRegistries,
    credentialHelpers: document.credentialHelpers ?? conf.credentialHelpers,
    aliases: mergeAliases(conf.aliases, document.aliases),
  };
}

function mergeAliases(
  old: RegistriesConf["aliases"],
  added: RegistriesDocument["aliases"],
): RegistriesConf["aliases"] {
  const all = new Map([...old, ...Object.entries(added)]);
  return new Map([...all].filter(([, name]) => name !== ""));
}

function completeName(name: string): string {
  const { host = hubHost, path } = splitName(name);
  const { registry, repository } = normaliseRepository(host, path);
  return `${registry}/${repository}`;
}
