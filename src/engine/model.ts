import type { Diagnostic } from "../diagnostics.ts";
import type { Digest } from "../oci/oci.ts";

/** A bind mount of a host directory into the container of every RUN. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** "Build this plain Containerfile": one call of an engine's build. */
export interface EngineBuild {
  /** What it is for, in the report's words. */
  readonly purpose: string;
  /** The plain Containerfile, one character a byte. */
  readonly text: string;
  readonly context: string;
  /**
   * `cached`: every step is committed and found again. `single`: steps run in one working
   * container, which is thrown away with every process that they left, and only the last stage is committed.
   */
  readonly mode: "cached" | "single";
  readonly noCache: boolean;
  readonly names: readonly string[];
  readonly mounts: readonly Mount[];
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Names of arguments whose values must not stand on the engine's command line. */
  readonly hiddenArgs: ReadonlySet<string>;
  readonly platform: string | undefined;
  readonly pull: "missing" | "never";
  readonly ignoreFile: string | undefined;
  readonly quiet: boolean;
  /** Flags that the user's command line hands on as they are. */
  readonly flags: readonly string[];
  /** Where in the user's file a step stands that the engine names. */
  readonly locate: (step: string) => StepPlace | undefined;
}

export type StepPlace = Pick<Diagnostic, "file" | "span" | "excerpt">;

export type PullPolicy = "always" | "newer" | "missing" | "never";

/** Where an engine's own words go, as they come. */
export interface EngineLog {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
}

/** Paths that a build's command line names: where its Containerfile is read, and the image's ID written. */
export interface BuildFiles {
  readonly containerfile: string;
  readonly iidfile: string;
}

export interface RunContext {
  readonly log: EngineLog;
  readonly signal: AbortSignal;
  /** A private directory for files that the call needs. */
  readonly directory: string;
  /** Told what names the engine's process, so that a later run can stop it if this one is killed. */
  readonly note?: (process: string) => Promise<void>;
  /** Told what the user should know, and what does not end the call. */
  readonly warn?: (diagnostic: Diagnostic) => void;
}

/** A flag that the installed engine's build knows, as its help tells. */
export interface EngineFlag {
  readonly name: string;
  readonly short: string | undefined;
  /** Whether a value follows (`--flag value`); a boolean or optional value stands after `=` only. */
  readonly takesValue: boolean;
}

/**
 * What builds plain Containerfiles and holds images. An engine that shares our file system mounts
 * directories (`sharesFiles`); another one gets the same plan as build stages and an exported result.
 */
export interface Engine {
  readonly name: "buildah" | "podman";
  /** Options of the program itself, before its command: they say which storage it has. */
  readonly options: readonly string[];
  readonly sharesFiles: boolean;
  /** The whole command line of a build, the program first; hidden arguments stand there by their names alone. */
  readonly renderBuild: (build: EngineBuild, files: BuildFiles) => readonly string[];
  /** @returns the image's ID. @throws XbuildError `step-failed` with the engine's exit status, `engine-cannot-run`. */
  readonly build: (build: EngineBuild, context: RunContext) => Promise<Digest>;
  /**
   * Hands a whole command line to the engine's build, its streams being ours. @returns its exit status.
   */
  readonly passThrough: (args: readonly string[], options?: PassOptions) => Promise<number>;
  /**
   * Runs a program where an ordinary user has all ids of the containers, its streams being ours
   * (`input` as above). @returns its exit status; undefined where that would change nothing.
   */
  readonly runInNamespace: (
    words: readonly string[],
    input: Uint8Array | undefined,
  ) => Promise<number | undefined>;
  /** Begins to look for an image; the next `resolveImage` of this name gives what was found. */
  readonly askAhead: (name: string) => void;
  /** The ID of an image in the engine's storage, or undefined. */
  readonly resolveImage: (name: string) => Promise<Digest | undefined>;
  /** The image's configuration, the bytes that the engine wrote. */
  readonly readConfig: (id: Digest) => Promise<Uint8Array>;
  /** Asks the image's registry for it. @throws XbuildError `image-pull-failed` */
  readonly pull: (name: string, flags: readonly string[], context: RunContext) => Promise<void>;
  readonly tag: (name: string, names: readonly string[]) => Promise<void>;
  /** Removes names (and images that then have none). Idempotent. */
  readonly removeImages: (names: readonly string[]) => Promise<void>;
  /** Removes working containers whose name begins so. Idempotent. */
  readonly removeContainers: (prefix: string) => Promise<void>;
  /** Ends a build whose starter was killed, by what `note` was told. Idempotent. */
  readonly stopOrphan: (process: string) => Promise<void>;
  /** The storage as skopeo's containers-storage transport names it: `[driver@root+runroot]`, or "". */
  readonly storageSpecifier: () => string;
  readonly listBuildFlags: () => Promise<readonly EngineFlag[]>;
  readonly version: () => Promise<string>;
}

export interface PassOptions {
  /** Stands for stdin, where that has been read already. */
  readonly input?: Uint8Array | undefined;
  /** Build arguments beside those of the command line, on which their values must not stand. */
  readonly hiddenArgs?: ReadonlyMap<string, string>;
}

/** The engine's name and the number in what it says of its version. */
export async function describeEngine(
  engine: Engine,
): Promise<{ readonly name: string; readonly version: string }> {
  const text = await engine.version();
  return { name: engine.name, version: /(?<![0-9])[0-9]+(?:\.[0-9]+)+/.exec(text)?.[0] ?? text };
}
