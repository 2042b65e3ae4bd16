/** User and password of an address, which are shown to its server alone. */
export interface UserInfo {
  readonly username: string;
  readonly password: string;
}

/** A git repository, and what of it is meant. */
export interface GitSource {
  readonly kind: "git";
  /** For git, without user and password where it is one of HTTP. */
  readonly url: string;
  readonly userInfo: UserInfo | undefined;
  /** A branch, a tag, a full reference or a commit; undefined: what the repository's HEAD is. */
  readonly ref: string | undefined;
  /** The directory that is the context; empty for the repository's own. */
  readonly subdirectory: string;
  /** The beginning of the commit's ID that it must come to. */
  readonly commit: string | undefined;
}

/** A tar archive or a Containerfile alone, behind a URL. */
export interface HttpSource {
  readonly kind: "http";
  /** Without user and password. */
  readonly url: URL;
  readonly userInfo: UserInfo | undefined;
}

/** The same on standard input. */
export interface InputSource {
  readonly kind: "input";
}

/** A build context that is no directory of this machine. */
export type RemoteSource = GitSource | HttpSource | InputSource;

/** Where a context is fetched to, and how. */
export interface FetchPlace {
  /** An empty private directory: all that is fetched stands in it. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds without a byte after which a server counts as silent. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Told how far it is, in words. */
  readonly onProgress: (text: string) => void;
}

/** A context on this machine. */
export interface FetchedSource {
  /** Its directory, an absolute path. */
  readonly context: string;
  /** The bytes as they came, where they came as one file. */
  readonly archive: string | undefined;
}
