import type { SourceText } from "../../containerfile/containerfile.ts";
import type { ImageSource, SentDirectory } from "../model.ts";

/** What a name in a file stands for, beside images that the builder finds by themselves. */
export type NamedSource =
  | ImageSource
  /** A directory of this machine, an absolute path, of which what is used is sent. */
  | { readonly kind: "directory"; readonly path: string; readonly sentAs?: SentAs }
  /** As the user has it: `https://...`, `oci-layout://...`. */
  | { readonly kind: "other"; readonly value: string };

/** What a directory is called where it is sent, and another path of it. */
export type SentAs = Pick<SentDirectory, "name"> & Partial<Pick<SentDirectory, "alias">>;

/** What becomes of what a call has made. */
export type SolveOutput =
  /** It stays in the builder's cache. */
  | { readonly kind: "none" }
  /** What the last stage has, as a tar on standard output. */
  | { readonly kind: "tar" }
  /** An OCI layout in this directory. */
  | { readonly kind: "layout"; readonly directory: string }
  /** In the client's own words: `type=local,dest=DIR`. */
  | { readonly kind: "words"; readonly words: string };

/** One build that a builder is asked for. */
export interface SolveCall {
  readonly text: SourceText;
  /** An absolute path. */
  readonly context: string;
  readonly sentAs?: SentAs;
  readonly ignoreFile: string | undefined;
  readonly sources: ReadonlyMap<string, NamedSource>;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Those whose values must not stand on a command line. */
  readonly hiddenArgs: ReadonlySet<string>;
  /** Those that a trigger of a base declares. */
  readonly triggerArgs?: ReadonlySet<string>;
  /** `os/arch[/variant]` */
  readonly platform: string | undefined;
  readonly noCache: boolean;
  /** Of xbuild's command line, each `--name=value`. */
  readonly flags: readonly string[];
  readonly output: SolveOutput;
  /** For errors: `environment of base`. */
  readonly purpose: string;
}

/** A call of which nothing is said yet. */
export const emptyCall: SolveCall = {
  text: "",
  context: ".",
  ignoreFile: undefined,
  sources: new Map(),
  buildArgs: new Map(),
  hiddenArgs: new Set(),
  platform: undefined,
  noCache: false,
  flags: [],
  output: { kind: "none" },
  purpose: "build",
};

/** A private directory of a call, and how its file is called there. */
export interface CallFiles {
  readonly directory: string;
  readonly name: string;
}

/** A command line, with the variables beside those of our environment. */
export interface Invocation {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
