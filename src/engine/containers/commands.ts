import type { Digest } from "../../oci/oci.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import type { OutputLog } from "../../reporter.ts";
import type { Engine, StepPlace } from "../model.ts";
import type { StoragePlace } from "./storage-files.ts";
import type { CallDocument } from "./lower-heredocs.ts";

/** A bind mount of a host directory into the container of every RUN. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** "Build this plain Containerfile": one call of the program's `build`. */
export interface BuildCall {
  /** What it is for, in the report's words. */
  readonly purpose: string;
  /** The plain Containerfile, one character a byte. */
  readonly text: string;
  /** The last stage of `text` as a file of its own, where it needs nothing of those before it. */
  readonly lastStage?: string;
  readonly context: string;
  /**
   * `cached`: every step is committed and found again. `single`: steps run in one working
   * container, which is thrown away with every process that they left, and only the last stage is committed.
   */
  readonly mode: "cached" | "single";
  readonly noCache: boolean;
  /** Whether the working container of a step that fails shall stay. */
  readonly keepsContainer?: boolean;
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
  /** Files that the Containerfile reads by a named context of ours (`documentsContext`). */
  readonly documents: readonly CallDocument[];
  /** Where in the user's file a step stands that the engine names. */
  readonly locate: (step: string) => StepPlace | undefined;
}

/** Paths that a build's command line names: where its Containerfile is read, the image's ID written, and more. */
export interface BuildFiles {
  readonly containerfile: string;
  readonly iidfile: string;
  /** The directory of the call's documents. */
  readonly documents: string;
}

/** Where a call runs. */
export interface CallContext {
  readonly log: OutputLog;
  readonly signal: AbortSignal;
  /** A private directory for files that the call needs. */
  readonly directory: string;
  /** Told when the program has been started. */
  readonly onStarted?: (() => void) | undefined;
  /** Told of a process in whose PID namespace all runs, where there is one. */
  readonly onContained?: (unshare: number) => void;
  /** Told what names the engine's process, so that a later run can stop it if this one is killed. */
  readonly note?: (process: string) => Promise<void>;
  /** Told what the user should know, and what does not end the call. */
  readonly warn?: (diagnostic: Diagnostic) => void;
}

/** A container that the engine works in. */
export interface WorkingContainer {
  readonly name: string;
  /** The ID of the image that it comes from, which may be shortened. */
  readonly image: string;
}

/** What a shell in the container of a failed step needs. */
export interface ShellCommands {
  /** Whether the program is installed that can run something in such a container. */
  readonly canRun: () => boolean;
  readonly listContainers: () => Promise<readonly WorkingContainer[]>;
  /** IDs of the images with this label, `NAME=VALUE`. */
  readonly listImages: (label: string) => Promise<readonly string[]>;
  readonly removeContainer: (name: string) => Promise<void>;
  /** Removes images by their IDs, with the containers that come from them. */
  readonly removeImages: (ids: readonly string[]) => Promise<void>;
  /** Runs a shell there, the terminal being ours. @returns its exit status */
  readonly run: (container: string, flags: readonly string[]) => Promise<number>;
}

/** An image of the engine's storage under one of its names. */
export interface StoredImage {
  readonly id: Digest;
  /** Of its manifest. */
  readonly digest: string;
  /** undefined where it has none. */
  readonly name: string | undefined;
}

/** The commands of a program of the containers/ family, each run to its end. */
export interface ContainersCommands extends Pick<
  Engine,
  | "options"
  | "ownFlags"
  | "expectImage"
  | "findImage"
  | "readList"
  | "readConfig"
  | "passThrough"
  | "runInNamespace"
  | "listBuildFlags"
  | "version"
> {
  readonly name: "buildah" | "podman";
  readonly loadShell: () => Promise<ShellCommands>;
  /** The whole command line of a build, the program first; hidden arguments stand there by their names alone. */
  readonly renderBuild: (build: BuildCall, files: BuildFiles) => readonly string[];
  /** @returns the image's ID. Errors: `step-failed` with the program's exit status, `engine-cannot-run`. */
  readonly build: (build: BuildCall, context: CallContext) => Promise<Digest>;
  /** Asks the image's registry for it. @returns its ID. Errors: `image-pull-failed`. */
  readonly pull: (name: string, flags: readonly string[], context: CallContext) => Promise<Digest>;
  /** All images of the storage, one for each name. */
  readonly listImages: () => Promise<readonly StoredImage[]>;
  readonly tag: (name: string, names: readonly string[]) => Promise<void>;
  /** Removes names (and images that then have none). Idempotent. */
  readonly removeImages: (names: readonly string[]) => Promise<void>;
  /** Makes an empty manifest list. @returns its ID. Errors: `engine-failed` where the name is taken already. */
  readonly createList: (name: string) => Promise<string>;
  /** Adds an image to a manifest list. Errors: `engine-failed` */
  readonly addToList: (name: string, image: string) => Promise<void>;
  readonly removeFromList: (name: string, manifest: Digest) => Promise<void>;
  /** Removes an image or a list by its ID, with all its names. Errors: `engine-failed` */
  readonly removeWithNames: (id: string) => Promise<void>;
  /** Removes working containers whose name begins so. Idempotent. */
  readonly removeContainers: (prefix: string) => Promise<void>;
  /** Ends a build whose starter was killed, by what `note` was told. Idempotent. */
  readonly stopOrphan: (process: string) => Promise<void>;
  /** Where the storage is. Errors: `engine-failed`, `engine-cannot-run`. */
  readonly locateStorage: () => Promise<StoragePlace>;
  /** Sees to it that `findImage` can look there by itself from now on, where it can be had. */
  readonly rememberStorage: () => Promise<void>;
  /** The storage as skopeo's containers-storage transport names it: `[driver@root+runroot]`, or "". */
  readonly storageSpecifier: () => string;
}
