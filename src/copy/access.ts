import type { RegistryAccess } from "../registry/registry.ts";

/** How registries are reached: skopeo's own settings, and how patient to be. */
export interface TransportAccess extends RegistryAccess {
  readonly retries: number;
  /** Milliseconds without a byte after which a registry counts as silent. */
  readonly timeout: number;
  /** Whether credentials are left at home, wherever they are. */
  readonly isAnonymous?: boolean;
}

/** skopeo's flags for the source of a copy. `authFile` stands for --creds, which every user of the machine could read. */
export function renderAccess(
  access: TransportAccess,
  authFile = access.authFile,
): readonly string[] {
  return [
    ...(access.tlsVerify === undefined ? [] : [`--src-tls-verify=${access.tlsVerify}`]),
    ...(access.isAnonymous === true ? ["--src-no-creds"] : []),
    ...(authFile === undefined ? [] : [`--src-authfile=${authFile}`]),
    ...(access.certDir === undefined ? [] : [`--src-cert-dir=${access.certDir}`]),
  ];
}
