import { setMaxListeners } from "node:events";
import type { Credentials, RegistryAccess } from "./access.ts";
import { readCertificates } from "./certificates.ts";
import { findCredentials } from "./credentials.ts";
import {
  locateRepository,
  readRegistriesConf,
  type RegistriesConf,
  type RepositoryLocation,
} from "./registries-conf.ts";
import { openRegistry, type Registry } from "./registry.ts";

export interface NamedLocation extends RepositoryLocation {
  /** Whether it is in the registry that the user names, and not where registries.conf leads. */
  readonly isAsNamed: boolean;
}

/** All registries that one client talks to. */
export interface Registries {
  /** Where `host[:port]/ns/repo` is. It rejects where that is blocked. */
  readonly locate: (name: string, use: "pull" | "push") => Promise<NamedLocation>;
  readonly open: (location: NamedLocation) => Promise<Registry>;
  readonly close: () => void;
}

/** Milliseconds. */
const requestTimeout = 30_000;

/** Reads registries.conf once, and what else a registry needs when it is first asked for. */
export function openRegistries(access: RegistryAccess, signal: AbortSignal): Registries {
  // Each request listens, which Node takes for a leak from the eleventh on.
  setMaxListeners(0, signal);
  const opened = new Map<string, Promise<Registry>>();
  let reading: Promise<RegistriesConf> | undefined;
  const readConf = (): Promise<RegistriesConf> => (reading ??= readRegistriesConf(access.env));
  return {
    locate: async (name, use) => locate(await readConf(), name, use),
    open: async (location) => {
      const { credentialHelpers } = await readConf();
      const { registry, insecure, isAsNamed } = location;
      const key = JSON.stringify([registry, insecure, isAsNamed]);
      const known = opened.get(key);
      if (known !== undefined) return known;
      const made = open(location, access, credentialHelpers, signal);
      opened.set(key, made);
      return made;
    },
    close: () => {
      for (const registry of opened.values()) registry.then(({ close }) => close()).catch(() => {});
    },
  };
}

function locate(conf: RegistriesConf, name: string, use: "pull" | "push"): NamedLocation {
  const location = locateRepository(conf, name, use);
  if (location.blocked) throw new Error("registries.conf blocks it");
  return { ...location, isAsNamed: name.startsWith(`${location.registry}/`) };
}

async function open(
  { registry, insecure, isAsNamed }: NamedLocation,
  access: RegistryAccess,
  helpers: readonly string[],
  signal: AbortSignal,
): Promise<Registry> {
  // --creds are for the registry that the user knows (containers/image, `newImageSourceAttempt`).
  const { creds, ...others } = access;
  const shown = isAsNamed && creds !== undefined ? { ...others, creds } : others;
  const found = new Map<string, Promise<Credentials | undefined>>();
  return openRegistry({
    registry,
    certificates: await readCertificates(registry, access),
    insecure: access.tlsVerify === undefined ? insecure : !access.tlsVerify,
    env: access.env,
    timeout: requestTimeout,
    signal,
    findCredentials: (repository) => {
      const known =
        found.get(repository) ?? findCredentials(registry, repository, shown, { helpers, signal });
      found.set(repository, known);
      return known;
    },
  });
}
