/** How registries are reached: what skopeo takes as options, and the environment that it would see. */
export interface RegistryAccess {
  /** --tls-verify. Undefined: as registries.conf says, and verified where it says nothing. */
  readonly tlsVerify?: boolean;
  /** --creds, `USER[:PASSWORD]`: for the registries that the user names. */
  readonly creds?: string;
  /** --authfile: read in place of all other auth files. */
  readonly authFile?: string;
  /** --cert-dir: the directory with `*.crt`, `*.cert` and `*.key`, read in place of certs.d. */
  readonly certDir?: string;
  /** How often a request that failed for a passing reason is made again. Undefined: three times. */
  readonly retries?: number;
  /** Milliseconds before the first of them; each further one waits twice as long. Undefined: as the asker likes. */
  readonly retryDelay?: number;
  /** Milliseconds after which a registry counts as silent. Undefined: half a minute. */
  readonly timeout?: number;
  /** Where auth files may be beside XDG_RUNTIME_DIR. */
  readonly runtimeDirectories?: readonly string[];
  /** HOME, XDG_*, PATH (for credential helpers), HTTPS_PROXY and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Environment = RegistryAccess["env"];

/** Never part of an error, a log or a command line. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token. */
  | { readonly identityToken: string };
