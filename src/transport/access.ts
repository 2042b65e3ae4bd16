import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryAccess } from "./registry/access.ts";

/** How registries are reached: skopeo's own settings, and how patient to be. */
export interface TransportAccess extends RegistryAccess {
  /** How often a request that failed for a passing reason is made again. */
  readonly retries: number;
  /** Milliseconds before the first of them; each further one waits twice as long. Undefined: one second. */
  readonly retryDelay?: number;
  /** Milliseconds without a byte after which a registry counts as silent. */
  readonly timeout: number;
}

/** Which end of a copy a flag is for; an inspection has but one. */
type End = "src" | "dest" | undefined;

/** Whether a reference means a registry, so that these settings are for it. */
export function isRegistry(reference: string): boolean {
  return reference.startsWith("docker://");
}

/** skopeo's flags for one end. `authFile` stands for --creds, which every user of the machine could read. */
export function renderAccess(
  access: TransportAccess,
  end: End,
  authFile = access.authFile,
): readonly string[] {
  const flag = (name: string): string => (end === undefined ? `--${name}` : `--${end}-${name}`);
  return [
    ...(access.tlsVerify === undefined ? [] : [`${flag("tls-verify")}=${access.tlsVerify}`]),
    ...(authFile === undefined ? [] : [`${flag("authfile")}=${authFile}`]),
    ...(access.certDir === undefined ? [] : [`${flag("cert-dir")}=${access.certDir}`]),
  ];
}

/** Does `action` with an auth file that says what --creds says, readable for us alone; it is removed after. */
export async function withAuthFile<T>(
  access: TransportAccess,
  references: readonly string[],
  action: (authFile: string | undefined) => Promise<T>,
): Promise<T> {
  const hosts = references.filter(isRegistry).map(hostOf);
  if (access.creds === undefined || hosts.length === 0) return action(access.authFile);
  const directory = await mkdtemp(join(tmpdir(), "xbuild-auth-"));
  try {
    const auth = Buffer.from(fillPassword(access.creds)).toString("base64");
    const auths = Object.fromEntries(hosts.map((host) => [host, { auth }]));
    const path = join(directory, "auth.json");
    await writeFile(path, JSON.stringify({ auths }), { mode: 0o600 });
    return await action(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** skopeo takes a user without a password as one with an empty one. */
function fillPassword(creds: string): string {
  return creds.includes(":") ? creds : `${creds}:`;
}

/** The registry of `docker://HOST[:PORT]/...`; a name without one is Docker's. */
function hostOf(reference: string): string {
  const rest = reference.slice("docker://".length);
  const first = rest.split("/")[0] ?? "";
  const isHost = rest.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "docker.io";
}
