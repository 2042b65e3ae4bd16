import type { RegistryAccess } from "../../src/registry/access.ts";
import type { RegistryClient } from "../../src/registry/client.ts";
import { openSession, type RegistrySession } from "../../src/registry/session.ts";

/** The client of a session of its own, which ends with it. */
export type OwnClient = RegistryClient & Pick<RegistrySession, "close">;

export function openRegistryClient(
  access: RegistryAccess,
  signal: AbortSignal = new AbortController().signal,
): OwnClient {
  const session = openSession(access, signal);
  return { ...session.openClient(), close: session.close };
}
