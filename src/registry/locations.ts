import type { RegistriesConf } from "./registries-conf.ts";
import type { RegistryRule } from "./registries-model.ts";

export interface RepositoryLocation {
  /** Host with its port. */
  readonly registry: string;
  readonly repository: string;
  /** TLS without verification, and plain HTTP, will do. */
  readonly insecure: boolean;
  /** Whether nothing may be asked there. */
  readonly blocked: boolean;
}

/** Where images of a repository are pulled from. */
export interface PullLocations {
  /** In the order in which they are asked. */
  readonly mirrors: readonly RepositoryLocation[];
  /** What the name itself means, asked last. */
  readonly primary: RepositoryLocation;
}

/**
 * Where a repository (`host/ns/repo`) is for those who pull by digest or by tag, by the table with the longest fitting prefix.
 * containers-registries.conf(5), "Remapping and mirroring registries"; containers/image, `PullSourcesFromReference`.
 * A mirror of a blocked registry is asked unless it is blocked under its own name: so does skopeo.
 */
export function locatePulls(
  conf: RegistriesConf,
  name: string,
  by: "digest" | "tag" = "digest",
): PullLocations {
  const rule = findRule(conf, name);
  if (rule === undefined)
    return { mirrors: [], primary: describe(conf, { name, insecure: false }) };
  const mirrors = rule.mirrors
    .filter(({ pulls }) => pulls === "all" || pulls === `${by}-only`)
    .map(({ location, insecure }) =>
      describe(conf, { name: rewrite(name, rule.prefix, location), insecure }),
    );
  const own = describe(conf, {
    name: rewrite(name, rule.prefix, rule.location),
    insecure: rule.insecure,
  });
  // skopeo 1.9 looks for that under the new name alone; the manual says that names are blocked.
  return { mirrors, primary: { ...own, blocked: own.blocked || rule.blocked } };
}

/** Where a repository is for those who push: where its name says. */
export function locatePush(conf: RegistriesConf, name: string): RepositoryLocation {
  return describe(conf, { name, insecure: findRule(conf, name)?.insecure ?? false });
}

interface Named extends Pick<RepositoryLocation, "insecure"> {
  /** `host/ns/repo` */
  readonly name: string;
}

function describe(conf: RegistriesConf, { name, insecure }: Named): RepositoryLocation {
  const slash = name.indexOf("/");
  const [registry, repository] =
    slash === -1 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
  return { registry, repository, insecure, blocked: findRule(conf, name)?.blocked ?? false };
}

function findRule({ rules }: RegistriesConf, name: string): RegistryRule | undefined {
  let best: RegistryRule | undefined;
  for (const rule of rules) {
    const isLonger = rule.prefix.length > (best?.prefix.length ?? 0);
    if (isLonger && matchedLength(name, rule.prefix) !== undefined) best = rule;
  }
  return best;
}

/** How much of the name a prefix covers; undefined: it is not one. containers/image, `refMatchingPrefix` */
function matchedLength(name: string, prefix: string): number | undefined {
  const length = prefix.startsWith("*.") ? findSuffix(name, prefix.slice(1)) : prefix.length;
  if (length === undefined || (!prefix.startsWith("*.") && !name.startsWith(prefix))) {
    return undefined;
  }
  // That a host covers itself with any port is containers/image's doing, too.
  return length === name.length || "/:".includes(name.charAt(length)) ? length : undefined;
}

/** Where the first `.example.com` of a name ends, if that is in its host. */
function findSuffix(name: string, suffix: string): number | undefined {
  const start = name.indexOf(suffix);
  if (start === -1 || name.slice(0, start).includes("/")) return undefined;
  return start + suffix.length;
}

function rewrite(name: string, prefix: string, location: string): string {
  return location === "" ? name : location + name.slice(matchedLength(name, prefix));
}
