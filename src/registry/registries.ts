import { setMaxListeners } from "node:events";
import type { Credentials, RegistryAccess } from "./access.ts";
import { readCertificates } from "./certificates.ts";
import { findCredentials } from "./credentials.ts";
import { createRegistryError } from "./failures.ts";
import { locatePulls, locatePush, type RepositoryLocation } from "./locations.ts";
import { readRegistriesConf, type RegistriesConf } from "./registries-conf.ts";
import { openRegistry, type Registry } from "./connection.ts";
import type { Link, RegistryOptions } from "./routes.ts";
import { longestTimer } from "./retry.ts";

export interface NamedLocation extends RepositoryLocation {
  /** Whether it is in the registry that the user names, and not where registries.conf leads. */
  readonly isAsNamed: boolean;
}

/** `mirrored`: a pull by digest, also from mirrors; `mirrored-tag`: the same by tag. */
export type Use = "mirrored" | "mirrored-tag" | "pull" | "push";

/** All registries that one client talks to. */
export interface Registries {
  /** Where `host[:port]/ns/repo` is: for pulls its mirrors before it. What is blocked is left out. */
  readonly locate: (name: string, use: Use) => Promise<readonly NamedLocation[]>;
  readonly open: (location: NamedLocation) => Promise<Registry>;
}

/** How questions to registries end. */
export interface Stop {
  /** Ends all. */
  readonly signal: AbortSignal;
  /** Whether what had no answer is asked again. */
  readonly isPersistent?: boolean;
  /** What several clients have in common, which end together. */
  readonly links?: Links;
}

export interface Links {
  conf?: Promise<RegistriesConf>;
  /** By registry and what it is reached with. */
  readonly byRegistry: Map<string, Link>;
}

/** Reads registries.conf once, and what else a registry needs when it is first asked for. */
export function openRegistries(access: RegistryAccess, stop: Stop): Registries {
  const { signal } = stop;
  const links: Links = stop.links ?? { byRegistry: new Map() };
  // Each request listens, which Node takes for a leak from the eleventh on.
  setMaxListeners(0, signal);
  const opened = new Map<string, Promise<Registry>>();
  const readConf = (): Promise<RegistriesConf> => (links.conf ??= readRegistriesConf(access.env));
  return {
    locate: async (name, use) => locate(await readConf(), name, use),
    open: async (location) => {
      const { credentialHelpers: helpers } = await readConf();
      const { registry, insecure, isAsNamed } = location;
      const key = JSON.stringify([registry, insecure, isAsNamed]);
      const known = opened.get(key);
      if (known !== undefined) return known;
      const link = links.byRegistry.get(key) ?? {};
      links.byRegistry.set(key, link);
      const connection = open(location, { access, helpers, link }, stop);
      opened.set(key, connection);
      return connection;
    },
  };
}

/** @throws where all is blocked, or the configuration is broken: nobody knows then what it allows */
function locate(conf: RegistriesConf, name: string, use: Use): readonly NamedLocation[] {
  if (conf.isBroken) {
    throw createRegistryError("settings", "registries.conf, or a drop-in of it, has a mistake");
  }
  const allowed = listLocations(conf, name, use).filter((one) => !one.blocked);
  if (allowed.length === 0) {
    throw createRegistryError("blocked", `registries.conf blocks ${name}`);
  }
  return allowed.map(({ registry, repository, insecure, blocked }) => {
    const isAsNamed = name.startsWith(`${registry}/`);
    return { registry, repository, insecure, blocked, isAsNamed };
  });
}

function listLocations(
  conf: RegistriesConf,
  name: string,
  use: Use,
): readonly RepositoryLocation[] {
  if (use === "push") return [locatePush(conf, name)];
  const { mirrors, primary } = locatePulls(conf, name, use === "mirrored-tag" ? "tag" : "digest");
  return use === "pull" ? [primary] : [...mirrors, primary];
}

interface Settings {
  readonly access: RegistryAccess;
  /** `credential-helpers` of registries.conf. */
  readonly helpers: readonly string[];
  readonly link: Link;
}

async function open(
  { registry, insecure, isAsNamed }: NamedLocation,
  { access, helpers, link }: Settings,
  { signal, isPersistent = false }: Stop,
): Promise<Registry> {
  // --creds are for the registry that the user knows (containers/image, `newImageSourceAttempt`).
  const { creds, ...others } = access;
  const shown = isAsNamed && creds !== undefined ? { ...others, creds } : others;
  const byRepository = new Map<string, Promise<Credentials | undefined>>();
  const settings: RegistryOptions = {
    registry,
    certificates: await readCertificates(registry, access),
    insecure: access.tlsVerify === undefined ? insecure : !access.tlsVerify,
    isTlsRequired: access.tlsVerify === true,
    env: access.env,
    timeout: Math.min(access.timeout ?? 30_000, longestTimer),
    retries: access.retries ?? 3,
    retryDelay: access.retryDelay ?? 250,
    signal,
    isPersistent,
    link,
    findCredentials: (repository) => {
      const known =
        byRepository.get(repository) ??
        findCredentials({ registry, repository }, shown, { helpers, signal });
      byRepository.set(repository, known);
      return known;
    },
  };
  return openRegistry(settings).catch((cause: unknown) => {
    throw createRegistryError("settings", `the certificates for ${registry} cannot be used`, cause);
  });
}
