import type { Step } from "../reporter.ts";
import type { Instruction } from "../containerfile/containerfile.ts";
import type { Diagnostic } from "../diagnostics.ts";
import type { Descriptor, Digest, Image, ImageConfig, WantedPlatform } from "../oci/oci.ts";
import type { BuildPlan, LayeredStage, StagePlan } from "../plan/plan.ts";
import type { Reporter } from "../reporter.ts";

export type PullPolicy = "always" | "newer" | "missing" | "never";

/** What the steps of a build get, and how they are run. */
export interface StepsRequest {
  /** An absolute path. */
  readonly context: string;
  /** The ignore file for the context, found or named; an absolute path. */
  readonly ignoreFile: string | undefined;
  /** name -> directory or `docker-image://NAME` (and the engine's other forms). */
  readonly buildContexts: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Arguments whose values must not stand on a command line: those that stood on none, and those of --redact. */
  readonly hiddenArgs: ReadonlySet<string>;
  /** `os/arch[/variant]`, as given. */
  readonly platform: string | undefined;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | undefined;
  /** Given as --timestamp: then the engine is told too. */
  readonly timestamp: boolean;
  readonly pull: PullPolicy;
  readonly noCache: boolean;
  readonly quiet: boolean;
  /** --on-error: whether a shell is offered in the container of a step that fails. */
  readonly onError: "fail" | "shell";
  readonly flags: EngineFlags;
  /** What is built, by its name or else by its context: builds of the same share the engine's cache. */
  readonly cacheKey: string;
  /** Directories that were made for this command: the next one has the same content elsewhere. */
  readonly passing?: ReadonlySet<string>;
}

/** Flags of the command line that the engine gets as they are. */
export interface EngineFlags {
  /** For every call that runs steps; part of the up-to-date key. */
  readonly step: readonly string[];
  /** For the same calls, and no part of the key. */
  readonly access: readonly string[];
  /** For the calls that build environments alone. */
  readonly cache: readonly string[];
  /** Of those, what a pull understands too. */
  readonly pull: readonly string[];
}

/** What an engine tells, and what stops it. */
export interface EngineWorkspace {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A run as an engine sees it: what is noted in it outlives a run that is killed. */
export interface EngineRun {
  readonly id: string;
  /** A private directory for files that the calls need. */
  readonly directory: string;
  /** Writes down what a later run must clean up if this one is killed. */
  note(key: string, value: string): Promise<void>;
  /** Writes down that an image which outlives the run is used now, by the name that keeps it. */
  use(name: string): Promise<void>;
}

export interface SessionWorkspace extends EngineWorkspace {
  readonly run: EngineRun;
}

/** What is built in a session. */
export interface EngineBuild {
  readonly plan: BuildPlan;
  readonly steps: StepsRequest;
  /** IDs of the images that the plan takes from outside, by their keys (`imageKey`). */
  readonly images: ReadonlyMap<string, Digest>;
  /** Their platforms as their configs say, likewise; none where neither the build nor a FROM asks for one. */
  readonly platforms: ReadonlyMap<string, WantedPlatform>;
  readonly unseen: UnseenInputs;
  /** The image that the target's environment is, where no step stands before its OUTPUT. */
  readonly bare: Digest | undefined;
  /** Where those images are, by their keys: what an engine elsewhere needs; empty for one that holds images. */
  readonly places: ReadonlyMap<string, ImagePlace>;
  /** Directories that are sent to an engine elsewhere, by their paths, and `blobsKey` for blobs. */
  readonly sent: ReadonlyMap<string, SentDirectory>;
}

/** How a directory is sent to who keeps what it was sent, and asks for what looks otherwise. */
export interface SentDirectory {
  /** Nobody else's, and another one where a file changed that looks as before: what is kept of that name is right. */
  readonly name: string;
  /** Another path of it that has the name at its end; undefined where there is none. */
  readonly alias: string | undefined;
  /** Whether a builder, by its name, was sent it since it had this name, where builders have one name for all. */
  readonly isKept: (builder: string) => boolean;
  readonly keep: (builder: string) => void;
}

/** Stands for directories of blobs, in which a name says what the file is. */
export const blobsKey = "blobs";

/** Where an image is that an engine elsewhere is to use. */
export interface ImagePlace {
  readonly source: ImageSource;
  /** The bytes of its config. */
  readonly readConfig: () => Promise<Uint8Array>;
}

export type ImageSource =
  /** `REPOSITORY@DIGEST` of the platform's manifest. */
  | { readonly kind: "registry"; readonly name: string }
  /** An OCI layout on this machine that has all of it, and the digest of its manifest. */
  | { readonly kind: "layout"; readonly directory: string; readonly digest: Digest };

/** What steps read that the engine's cache may not look at. */
export interface UnseenInputs {
  /** Hex digests of it: with another one an instruction is another step, whatever the cache says. */
  readonly digests: ReadonlyMap<Instruction, string>;
  /** Whether triggers of base images read such things, before any instruction of the file: then no cache is right. */
  readonly byTriggers: boolean;
  /** Whether the digests make every step a new one: then the cache has what other calls of this build made. */
  readonly isRenewed: boolean;
}

/** The `<path>` of an OUTPUT as directories of this machine. */
export interface LayersDirectory {
  /** What the steps find at `<path>`; they cannot write there. */
  readonly root: string;
  /** Empty: what the steps write to `<path>/output` stands here when they have run. */
  readonly output: string;
}

/** How a stage is evaluated. */
export interface StageRun extends Partial<StepTelling> {
  /** The ID of the image that it came to when it was made of the same: nothing is built where the engine has that. */
  readonly known?: Digest | undefined;
}

/** What the steps behind OUTPUT run with. */
export interface LayeringRun extends LayersDirectory, Partial<StepTelling> {
  /** Told when the engine has begun, which is some time before the first step does. */
  readonly onStarted?: (() => void) | undefined;
  /**
   * Told when no step will run any more, nor any process of theirs, where that is known before the run ends: what they
   * read and wrote stays as it is from then on. An engine elsewhere tells it again where they had to run once more.
   */
  readonly onStepsOver?: (() => void) | undefined;
  /** That of the environment. */
  readonly environment: ImageConfig;
  /**
   * Takes what the steps wrote to `<path>/output`, as a tar of what is in it, where the engine cannot write to our
   * directory; begins anew whenever it is called. Errors: those of reading archives and of writing here.
   */
  readonly receive: (archive: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** One build's use of an engine. Whatever it takes there is given up at its end. */
export interface EngineSession {
  /**
   * Builds a stage with the engine's cache; one with an OUTPUT up to there. Those that it reads come first.
   * @returns the image's ID. Errors: `step-failed` with the engine's exit status, `engine-cannot-run`.
   */
  readonly evaluateStage: (stage: StagePlan, run?: StageRun) => Promise<Digest>;
  /**
   * Runs the steps behind OUTPUT on the stage that was evaluated. Nothing of their file system is kept, and no
   * process of theirs lives on.
   * @returns the ID of an image that has the metadata instructions behind OUTPUT, for as long as the session lasts.
   * Errors: as `evaluateStage`.
   */
  readonly runLayering: (stage: LayeredStage, place: LayeringRun) => Promise<Digest>;
  /** A text that the engine wrote, with the user's names where it has those of this session. */
  readonly restoreNames: (text: string) => string;
  /** Removes what a call that failed or was stopped has left. */
  readonly abandon: () => Promise<void>;
  /**
   * Gives up the rest, once, however often it is called. Errors: `store-lock` where it had to wait too long: then the
   * notes are for the next cleaner.
   */
  readonly end: () => Promise<void>;
}

/** Who is told which instruction is at work. */
export interface StepTelling {
  readonly progress: Step["progress"];
}

/** An image on its way into an engine. */
export interface LoadSource {
  /** As skopeo reads it. */
  readonly reference: string;
  /** Which image of an index is meant, where it is one. */
  readonly platform?: WantedPlatform | undefined;
  readonly image: Image;
  readonly format: "oci" | "docker";
  /** A private directory. */
  readonly scratch: string;
}

/** A layer that an engine's storage may have. */
export interface HeldLayer {
  /** Of its blob. */
  readonly digest: Digest;
  readonly diffId: Digest;
}

/** An image of a manifest list. */
export type ListEntry = Pick<Descriptor, "digest" | "platform">;

/** A flag that the installed engine's build knows, as its help tells. */
export interface EngineFlag {
  readonly name: string;
  readonly short: string | undefined;
  /** Whether a value follows (`--flag value`); a boolean or optional value stands after `=` only. */
  readonly takesValue: boolean;
}

/** An image for a platform. */
export interface PullSource {
  readonly name: string;
  /** `REPOSITORY@DIGEST` of the platform's manifest; undefined where only the engine knows what the name stands for. */
  readonly manifest?: string;
  /** Asked for where that is not known. */
  readonly platform?: string;
  readonly flags: EngineFlags;
  /** Whether the name may stand for it from now on. */
  readonly isNamed: boolean;
}

/** An image that builds left in the engine's storage: for the next ones, or because they were killed. */
export interface Leftover {
  readonly id: Digest;
  /** Names of ours by which builds find it; none of a step that the engine's cache alone has. */
  readonly names: readonly string[];
  /** Whether it has a name of somebody else's, too: then it stays when it loses ours. */
  readonly isShared: boolean;
  /** Whether a running build or a container uses it: then it stays. */
  readonly isUsed: boolean;
  /** When the storage took it in, in milliseconds since 1970. */
  readonly storedAt: number;
}

/** What shall go: asked for each name of ours, and with undefined for an image that has none. */
export type LeftoverChoice = (leftover: Leftover, name: string | undefined) => boolean;

export interface RemovedLeftovers {
  readonly names: readonly string[];
  readonly images: readonly Digest[];
  /** Bytes of layers that no other image has; what several of these have counts once. */
  readonly freed: number;
}

/** What builds left in an engine's storage. */
export interface Leftovers {
  /** The storage's directory: engines may have it in common. */
  readonly storage: string;
  readonly images: readonly Leftover[];
  /** Bytes of layers that only they have, each once. */
  readonly size: number;
  /** What would go with such a choice. */
  readonly plan: (choose: LeftoverChoice) => RemovedLeftovers;
}

/** What evaluates instructions, runs the layering steps and holds images. */
export interface Engine {
  readonly name: string;
  /**
   * Whether its steps run on a machine of its own: nothing of this one's disk, programs and images is there, it holds no
   * images by name, and what is used of images stands in a registry or is sent.
   */
  readonly isElsewhere: boolean;
  /** Options of the program itself, before its command: they say which storage it has. */
  readonly options: readonly string[];
  /** Flags of `build` that are this program's own options instead. */
  readonly ownFlags: ReadonlySet<string>;
  /** Begins to look for an image; the next `findImage` of this name gives what was found. */
  readonly expectImage: (name: string) => void;
  /** The ID of an image that the engine has, or undefined. */
  readonly findImage: (name: string) => Promise<Digest | undefined>;
  /** What a manifest list of this name has; undefined where the engine has none, or one image of that name. */
  readonly readList: (name: string) => Promise<readonly ListEntry[] | undefined>;
  /** Asks the image's registry for it, whatever is here. Errors: `image-pull-failed`. */
  readonly pullImage: (name: string, flags: EngineFlags, work: EngineWorkspace) => Promise<void>;
  /**
   * Pulls an image for a platform, whatever is here, and gives it a name of ours, too. Other names stand for what they
   * stood for before. @returns its ID. Errors: `image-pull-failed`, `store-lock`.
   */
  readonly pullAs: (source: PullSource, keep: string, work: EngineWorkspace) => Promise<Digest>;
  /** The ID of the image of this manifest that the engine has, or undefined. */
  readonly findManifest: (manifest: Digest) => Promise<Digest | undefined>;
  /** The config of an image that the engine has, the bytes that it wrote. */
  readonly readConfig: (id: Digest) => Promise<Uint8Array>;
  /** An image that the engine has, as skopeo reads it. */
  readonly locateImage: (id: Digest) => string;
  /** Digests of those layers that its storage has as they are: `loadImage` needs no bytes of them. */
  readonly findLayers: (layers: readonly HeldLayer[]) => Promise<ReadonlySet<Digest>>;
  /** Takes an image in under these names. Errors: `copy-failed`, `store-lock`. */
  readonly loadImage: (
    source: LoadSource,
    names: readonly string[],
    work: EngineWorkspace,
  ) => Promise<void>;
  /** Takes images of several platforms in as one manifest list of these names. Errors: as `loadImage`; `engine-failed`. */
  readonly loadList: (
    sources: readonly LoadSource[],
    names: readonly string[],
    work: SessionWorkspace,
  ) => Promise<void>;
  /**
   * Adds images to a manifest list, which is made where there is none; one of the same platform makes room. Errors: as
   * `loadList`; `engine-failed` where the name stands for one image.
   */
  readonly addToList: (
    sources: readonly LoadSource[],
    list: string,
    work: SessionWorkspace,
  ) => Promise<void>;
  /** Gives an image that the engine has a name; false where it is gone. Errors: `engine-failed`, `store-lock`. */
  readonly keepImage: (id: Digest, name: string, work: EngineWorkspace) => Promise<boolean>;
  /** `-o PATH` and the like: writes the image's flattened files. Errors: `output-destination`. */
  readonly writeFiles: (
    source: LoadSource,
    destination: string,
    work: SessionWorkspace,
  ) => Promise<void>;
  readonly openSession: (build: EngineBuild, work: SessionWorkspace) => Promise<EngineSession>;
  /** What builds left in its storage; undefined where they leave nothing that lasts. Errors: `engine-failed`, `engine-cannot-run`. */
  readonly readLeftovers: () => Promise<Leftovers | undefined>;
  /** Removes of it what is chosen. @returns what went. Errors: as `readLeftovers`, `store-lock`. */
  readonly removeLeftovers: (
    choose: LeftoverChoice,
    work: EngineWorkspace,
  ) => Promise<RemovedLeftovers>;
  /** Gives up what a killed run has noted. Idempotent. */
  readonly cleanUp: (notes: readonly RunNote[], work: EngineWorkspace) => Promise<void>;
  /** The calls that a build would make, as a shell script; nothing is run. Values that look secret are masked. */
  readonly renderScript: (plans: readonly BuildPlan[], steps: StepsRequest) => Promise<string>;
  /** Hands a whole command line to the engine's build, its streams being ours. @returns its exit status. */
  readonly passThrough: (args: readonly string[], options?: PassOptions) => Promise<number>;
  /**
   * Runs a program where an ordinary user has all ids of the containers, its streams being ours
   * (`input` as above), with these variables beside those of our environment.
   * @returns its exit status; undefined where that would change nothing.
   */
  readonly runInNamespace: (
    words: readonly string[],
    input: ProgramInput | undefined,
    env?: Readonly<Record<string, string>>,
  ) => Promise<number | undefined>;
  readonly listBuildFlags: () => Promise<readonly EngineFlag[]>;
  readonly version: () => Promise<string>;
}

/** A line of a run's notes. */
export interface RunNote {
  readonly key: string;
  readonly value: string;
}

/** Where in the user's file a step stands that the engine names. */
export type StepPlace = Pick<Diagnostic, "file" | "span" | "excerpt">;

/** What a program reads from its standard input: these bytes, or those of a file. */
export type ProgramInput = Uint8Array | { readonly path: string };

export interface PassOptions {
  /** Stands for stdin, where that has been read already. */
  readonly input?: ProgramInput | undefined;
  /** Build arguments beside those of the command line, on which their values must not stand. */
  readonly hiddenArgs?: ReadonlyMap<string, string>;
}
