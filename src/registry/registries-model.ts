/** Where images of a registry may be pulled from before it is asked itself. */
export interface RegistryMirror {
  /** What stands in the prefix's place, `host[:port][/path]`. */
  readonly location: string;
  readonly insecure: boolean;
  /** Which references it is asked for. */
  readonly pulls: "all" | "digest-only" | "tag-only";
}

/** What a `[[registry]]` table says of the names below its prefix. */
export interface RegistryRule {
  /** `host[:port][/path]`, or `*.host`. */
  readonly prefix: string;
  /** What stands in the prefix's place, `host[:port][/path]`; "" (with `*.host` alone): nothing does. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly RegistryMirror[];
}

/** One file. What it does not mention stays as the files before it have it. */
export interface RegistriesDocument {
  /** One a prefix. */
  readonly rules: readonly RegistryRule[];
  readonly searchRegistries: readonly string[] | undefined;
  readonly credentialHelpers: readonly string[] | undefined;
  /** Short names and names in full; "" takes a short name back. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Whether it is written in version 1, which a drop-in must not be. */
  readonly isOld: boolean;
}
