import { setMaxListeners } from "node:events";
import type { Credentials, RegistryAccess } from "./access.ts";
import { readCertificates } from "./certificates.ts";
import { findCredentials } from "./credentials.ts";
import { locatePulls, locatePush, type RepositoryLocation } from "./locations.ts";
import { readRegistriesConf, type RegistriesConf } from "./registries-conf.ts";
import { openRegistry, type Registry } from "./connection.ts";
import { longestTimer } from "./retry.ts";

export interface NamedLocation extends RepositoryLocation {
  /** Whether it is in the registry that the user names, and not where registries.conf leads. */
  readonly isAsNamed: boolean;
}

/** `mirrored`: a pull, also from mirrors. */
export type Use = "mirrored" | "pull" | "push";

/** All registries that one client talks to. */
export interface Registries {
  /** Where `host[:port]/ns/repo` is: for pulls its mirrors before it. What is blocked is left out. */
  readonly locate: (name: string, use: Use) => Promise<readonly NamedLocation[]>;
  readonly open: (location: NamedLocation) => Promise<Registry>;
}

/** Reads registries.conf once, and what else a registry needs when it is first asked for. The signal ends all. */
export function openRegistries(access: RegistryAccess, signal: AbortSignal): Registries {
  // Each request listens, which Node takes for a leak from the eleventh on.
  setMaxListeners(0, signal);
  const opened = new Map<string, Promise<Registry>>();
  let reading: Promise<RegistriesConf> | undefined;
  const readConf = (): Promise<RegistriesConf> => (reading ??= readRegistriesConf(access.env));
  return {
    locate: async (name, use) => locate(await readConf(), name, use),
    open: async (location) => {
      const { credentialHelpers: helpers } = await readConf();
      const { registry, insecure, isAsNamed } = location;
      const key = JSON.stringify([registry, insecure, isAsNamed]);
      const known = opened.get(key);
      if (known !== undefined) return known;
      const connection = open(location, { access, helpers }, signal);
      opened.set(key, connection);
      return connection;
    },
  };
}

/** @throws where all is blocked, or the configuration is broken: nobody knows then what it allows */
function locate(conf: RegistriesConf, name: string, use: Use): readonly NamedLocation[] {
  if (conf.isBroken) throw new Error("registries.conf has a mistake");
  const allowed = listLocations(conf, name, use).filter((one) => !one.blocked);
  if (allowed.length === 0) throw new Error("registries.conf blocks it");
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
  const { mirrors, primary } = locatePulls(conf, name);
  return use === "mirrored" ? [...mirrors, primary] : [primary];
}

interface Settings {
  readonly access: RegistryAccess;
  /** `credential-helpers` of registries.conf. */
  readonly helpers: readonly string[];
}

async function open(
  { registry, insecure, isAsNamed }: NamedLocation,
  { access, helpers }: Settings,
  signal: AbortSignal,
): Promise<Registry> {
  // --creds are for the registry that the user knows (containers/image, `newImageSourceAttempt`).
  const { creds, ...others } = access;
  const shown = isAsNamed && creds !== undefined ? { ...others, creds } : others;
  const byRepository = new Map<string, Promise<Credentials | undefined>>();
  return openRegistry({
    registry,
    certificates: await readCertificates(registry, access),
    insecure: access.tlsVerify === undefined ? insecure : !access.tlsVerify,
    env: access.env,
    timeout: Math.min(access.timeout ?? 30_000, longestTimer),
    retries: access.retries ?? 3,
    retryDelay: access.retryDelay ?? 250,
    signal,
    findCredentials: (repository) => {
      const known =
        byRepository.get(repository) ??
        findCredentials({ registry, repository }, shown, { helpers, signal });
      byRepository.set(repository, known);
      return known;
    },
  });
}
