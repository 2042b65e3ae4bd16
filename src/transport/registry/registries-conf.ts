import type { Environment } from "./access.ts";
import { readText } from "./files.ts";
import {
  authFileHelper,
  parseRegistriesDocument,
  type RegistriesDocument,
  type RegistryRule,
} from "./registries-document.ts";
import { listRegistriesFiles, recordedAliasesPath } from "./registries-files.ts";

/** What registries.conf and its drop-ins say together. containers-registries.conf(5) */
export interface RegistriesConf {
  readonly rules: readonly RegistryRule[];
  readonly searchRegistries: readonly string[];
  /** Where credentials are looked for, in order; `containers-auth.json` stands for the auth files. */
  readonly credentialHelpers: readonly string[];
  readonly aliases: ReadonlyMap<string, string>;
}

export interface RepositoryLocation {
  /** Host with its port. */
  readonly registry: string;
  readonly repository: string;
  /** TLS without verification, and plain HTTP, will do. */
  readonly insecure: boolean;
  readonly blocked: boolean;
}

const nothing: RegistriesConf = {
  rules: [],
  searchRegistries: [],
  credentialHelpers: [authFileHelper],
  aliases: new Map(),
};

/**
 * Reads the configuration of the user or of the machine. Files that are missing or broken say nothing:
 * skopeo, which reads them too, says what is wrong with them.
 * @param root stands before /etc and /var
 */
export async function readRegistriesConf(env: Environment, root = "/"): Promise<RegistriesConf> {
  let conf = nothing;
  for (const path of await listRegistriesFiles(env, root)) {
    const document = await readDocument(path);
    if (document !== undefined) conf = merge(conf, document);
  }
  const recorded = await readDocument(recordedAliasesPath(env, root));
  if (recorded === undefined) return conf;
  return { ...conf, aliases: mergeAliases(conf.aliases, recorded.aliases) };
}

/**
 * Where a repository (`host/ns/repo`) is, by the table with the longest fitting prefix. Only what is
 * pulled is looked for at a table's `location`; pushes go where their name says ("Remapping and mirroring
 * registries"; so does skopeo). Mirrors do not count.
 */
export function locateRepository(
  conf: RegistriesConf,
  name: string,
  use: "pull" | "push" = "pull",
): RepositoryLocation {
  let best: RegistryRule | undefined;
  for (const rule of conf.rules) {
    const isLonger = rule.prefix.length > (best?.prefix.length ?? 0);
    if (isLonger && matchedLength(name, rule.prefix) !== undefined) best = rule;
  }
  const { insecure = false, blocked = false } = best ?? {};
  const found = best === undefined || use === "push" ? name : rewrite(name, best);
  return { ...splitRepository(found), insecure, blocked };
}

/**
 * A short name (no registry, no tag) in full: an alias, or in the one registry that unqualified names are
 * looked for in. Undefined where that is no registry or several, or the name has a registry.
 */
export function resolveShortName(conf: RegistriesConf, name: string): string | undefined {
  if (hasRegistry(name)) return undefined;
  const alias = conf.aliases.get(name);
  if (alias !== undefined) return completeHubName(alias);
  const [registry, ...others] = conf.searchRegistries;
  if (registry === undefined || others.length > 0) return undefined;
  return completeHubName(`${registry}/${name}`);
}

async function readDocument(path: string): Promise<RegistriesDocument | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parseRegistriesDocument(text);
}

function merge(conf: RegistriesConf, document: RegistriesDocument): RegistriesConf {
  const rules = [...conf.rules, ...document.rules].map((rule) => [rule.prefix, rule] as const);
  return {
    rules: [...new Map(rules).values()],
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

/** How much of the name a prefix covers; undefined: it is not one. */
function matchedLength(name: string, prefix: string): number | undefined {
  if (prefix.startsWith("*.")) {
    const host = /^[^/:]*/.exec(name)?.[0] ?? "";
    return host.endsWith(prefix.slice(1)) ? host.length : undefined;
  }
  // That a host covers itself with any port is containers/image's doing, too.
  const isPrefix =
    name === prefix || name.startsWith(`${prefix}/`) || name.startsWith(`${prefix}:`);
  return isPrefix ? prefix.length : undefined;
}

function rewrite(name: string, { prefix, location }: RegistryRule): string {
  return location === "" ? name : location + name.slice(matchedLength(name, prefix));
}

function splitRepository(name: string): Pick<RepositoryLocation, "registry" | "repository"> {
  const slash = name.indexOf("/");
  if (slash === -1) return { registry: name, repository: "" };
  return { registry: name.slice(0, slash), repository: name.slice(slash + 1) };
}

/** As the distribution project's grammar tells a host from a part of the path. */
function hasRegistry(name: string): boolean {
  const first = name.slice(0, Math.max(name.indexOf("/"), 0));
  return /[.:A-Z]/.test(first) || first === "localhost";
}

/** "Normalization of docker.io references" */
function completeHubName(name: string): string {
  return name.replace(/^docker\.io\/(?=[^/]+$)/, "docker.io/library/");
}
