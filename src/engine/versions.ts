import type { EngineFeature } from "../containerfile/containerfile.ts";
import type { Engine } from "./model.ts";

/**
 * What a Containerfile may say, with the first buildah that knows it; undefined where none does up to 1.44. A version
 * that lacks one refuses it, or takes it for something else. Sources: buildah's CHANGELOG.md, `imagebuildah/` and the
 * parser that it has in it, at the tags. `test/e2e/engine-versions.test.ts` asks the engine at hand about each row.
 */
const features: Readonly<Record<EngineFeature, string | undefined>> = {
  heredocs: "1.33",
  "--checksum": "1.33",
  "--exclude": "1.38",
  "--keep-git-dir": undefined,
  "--link": "1.41",
  "--network": "1.30",
  "--parents": "1.40",
  "--security": undefined,
  "--start-interval": "1.36",
  "--unpack": undefined,
};

/** What versions of buildah do differently, as far as it matters here, with the first one that does so. */
const traits = {
  /** `--build-arg-file` names a file of build arguments. */
  argumentFiles: "1.30",
  /**
   * SOURCE_DATE_EPOCH, as a build argument or in the environment, is a time of the image, and refused beside
   * `--timestamp`. `--source-date-epoch` with `--rewrite-timestamp` counts before both.
   */
  epochIsTime: "1.41",
  /** The variant in the config of an image in OCI's format counts where it is looked for by name and platform. */
  imageVariants: "1.29",
  /** `--metadata-file` is a flag of the engine's own. */
  metadataFile: "1.44",
} as const;

export type EngineTrait = keyof typeof traits;

/** The buildah that a podman has in it, from that podman on (podman's `go.mod` at the tags). */
const buildahs: Readonly<Record<string, string>> = {
  "4.3": "1.28",
  "4.4": "1.29",
  "4.5": "1.30",
  "4.6": "1.31",
  "4.7": "1.32",
  "4.8": "1.33",
  "5.0": "1.35",
  "5.1": "1.36",
  "5.2": "1.37",
  "5.3": "1.38",
  "5.4": "1.39",
  "5.5": "1.40",
  "5.6": "1.41",
  "5.7": "1.42",
  "5.8": "1.43",
};

/** An engine as far as its version tells. */
export interface EngineVersion {
  readonly name: string;
  /** The number in what it says of its version. */
  readonly version: string;
  /** What a file cannot say there, each with the first version of that engine that knows it, if one does. */
  readonly lacks: ReadonlyMap<string, string | undefined>;
  readonly has: (trait: EngineTrait) => boolean;
}

/** What is known of the installed engine. */
export async function describeEngine(
  engine: Pick<Engine, "name" | "version">,
): Promise<EngineVersion> {
  // Which frontend a file gets there, the file itself may say: a client need not be here.
  const version = engine.name === "buildkit" ? "" : await engine.version();
  return describeVersion(engine.name, version);
}

/**
 * What is known of a version of an engine.
 * @param text what it says of its version; one without a number is taken for the newest.
 */
export function describeVersion(name: string, text: string): EngineVersion {
  const version = /(?<![0-9])[0-9]+(?:\.[0-9]+)+/.exec(text)?.[0] ?? text;
  const isReached = (first: string | undefined): boolean =>
    first !== undefined && !isOlder(version, first);
  const rows = Object.entries(features).map(
    ([row, since]) => [row, findFirst(name, since)] as const,
  );
  return {
    name,
    version,
    lacks: new Map(rows.filter(([, first]) => !isReached(first))),
    has: (trait) => isReached(findFirst(name, traits[trait])),
  };
}

/** The first version of an engine that has in it what that buildah has. */
function findFirst(name: string, buildah: string | undefined): string | undefined {
  // Its language is the one that the others follow; what a frontend lacks, `# syntax=` brings.
  if (name === "buildkit") return "0";
  if (name !== "podman" || buildah === undefined) return buildah;
  return Object.entries(buildahs).find(([, one]) => !isOlder(one, buildah))?.[0];
}

/** By major and minor alone. */
function isOlder(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
