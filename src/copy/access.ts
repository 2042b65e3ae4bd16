import type { RegistryAccess } from "../registry/registry.ts";

/** How registries are reached: skopeo's own settings, and how patient to be. */
export interface TransportAccess extends RegistryAccess {
  readonly retries: number;
  /** Milliseconds without a byte after which a registry counts as silent. */
  readonly timeout: number;
}

/** Which end of a copy a flag is for; an inspection has but one. */
type End = "src" | "dest" | undefined;

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
