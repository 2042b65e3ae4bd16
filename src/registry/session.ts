import { type Digest, digestBytes } from "../oci/oci.ts";
import type { RegistryAccess } from "./access.ts";
import { createClient, type RegistryClient } from "./client.ts";
import { openRegistries, type Links } from "./registries.ts";
import { createTransfers, type RegistryTransfers } from "./transfers.ts";

/**
 * What one command has of registries: connections that are kept from its first question to its last push, and the
 * manifests that it has read. Each registry is asked once how it is reached.
 */
export interface RegistrySession {
  /**
   * One that has not given up on any registry yet.
   * @param stop ends what has not begun, which then rejects with its reason
   * @param parallel so many questions at once
   */
  readonly openClient: (stop?: AbortSignal, parallel?: number) => RegistryClient;
  /** The same; `readManifest` asks once for each reference. */
  readonly openTransfers: (stop?: AbortSignal) => RegistryTransfers;
  /** The same for what is asked once, and not again where there is no answer. */
  readonly openImpatient: () => RegistryTransfers;
  /**
   * Whether a repository is pulled from the very place that it is pushed to, and from no other: then what was read of
   * it tells what a push will find. registries.conf may name mirrors, or another place for either.
   */
  readonly isOnePlace: (repository: string) => Promise<boolean>;
  /** Whether a manifest of this digest was read from a repository, under whatever reference. */
  readonly hasRead: (repository: string, digest: Digest) => Promise<boolean>;
  /** The next who wants a manifest of the repository asks for it. */
  readonly forgetManifests: (repository: string) => void;
  /** Ends all that is still asked, and the connections. */
  readonly close: () => void;
}

/** Asks nothing yet. Where `signal` stops it, what it was asked for rejects with the signal's reason. */
export function openSession(access: RegistryAccess, signal: AbortSignal): RegistrySession {
  const closing = new AbortController();
  const links: Links = { byRegistry: new Map() };
  const stop = { signal: AbortSignal.any([closing.signal, signal]), links };
  const registries = openRegistries(access, stop);
  const manifests = new Map<string, Promise<Buffer | undefined>>();
  const forgetManifests = (repository: string): void => {
    for (const key of manifests.keys()) if (key.startsWith(`${repository} `)) manifests.delete(key);
  };
  const join = (own: AbortSignal | undefined): AbortSignal =>
    own === undefined ? signal : AbortSignal.any([signal, own]);
  const openTransfers = (own?: AbortSignal): RegistryTransfers =>
    remember(openRegistries(access, { ...stop, isPersistent: true }), {
      access,
      signal: join(own),
    });
  const remember: typeof createTransfers = (opened, options) => {
    const transfers = createTransfers(opened, options);
    return {
      ...transfers,
      readManifest: async (repository, reference) => {
        const key = `${repository} ${reference}`;
        const reading = manifests.get(key) ?? transfers.readManifest(repository, reference);
        manifests.set(key, reading);
        return reading.catch((error: unknown) => {
          if (manifests.get(key) === reading) manifests.delete(key);
          throw error;
        });
      },
      pushManifest: (repository, reference, manifest) => {
        forgetManifests(repository);
        return transfers.pushManifest(repository, reference, manifest);
      },
    };
  };
  return {
    openClient: (own, parallel) => {
      const ends = { closing: closing.signal, signal: join(own) };
      return createClient(openRegistries(access, stop), ends, parallel);
    },
    openTransfers,
    openImpatient: () => {
      const once = { ...access, retries: 0 };
      return remember(openRegistries(once, stop), { access: once, signal });
    },
    isOnePlace: async (repository) => {
      const uses = ["mirrored", "mirrored-tag", "push"] as const;
      const found = uses.map((use) => registries.locate(repository, use));
      const places = await Promise.all(found).catch(() => undefined);
      return new Set(places?.map((one) => JSON.stringify(one))).size === 1;
    },
    hasRead: async (repository, digest) => {
      const own = [...manifests].filter(([key]) => key.startsWith(`${repository} `));
      const read = await Promise.all(own.map(([, one]) => one.catch(() => undefined)));
      return read.some((bytes) => bytes !== undefined && digestBytes(bytes) === digest);
    },
    forgetManifests,
    close: () => closing.abort(),
  };
}
