/** One build that scripts/scale-measure.sh measured: who had what before it, and what moved. */
export interface MeasuredBuild {
  readonly tool: "xbuild" | "buildkit";
  /** What there is to be done: everything, nothing, or one of the layers. */
  readonly change: Change;
  /** Whether the client has its store still, and the builder what it has built. */
  readonly client: "kept" | "new";
  readonly builder: "kept" | "new";
  /**
   * Of a file that is not the others' one: with `layer each`; with steps before OUTPUT that run; with the same steps,
   * whose results are in the registry.
   */
  readonly other?: "each" | "steps" | "cached";
  readonly seconds: number;
  /** Bytes of Ethernet frames, by the way that they went. */
  readonly bytes: Readonly<Record<Way, number>>;
  /** Requests to the registry, by who sent them. */
  readonly requests: Readonly<Record<"client" | "builder", number>>;
}

/** docs/scale.json */
export interface Measured {
  /** The day. */
  readonly at: string;
  readonly programs: readonly string[];
  /** Its layers, and their bytes in a registry. */
  readonly image: { readonly layers: number; readonly bytes: number };
  readonly builds: readonly MeasuredBuild[];
}

export type Change = "all" | "none" | "one";

export const ways = [
  "client>builder",
  "builder>client",
  "client>registry",
  "registry>client",
  "builder>registry",
  "registry>builder",
] as const;
export type Way = (typeof ways)[number];

/** What is assumed, and not measured. */
export const assumed = {
  /** Builds an hour. */
  rates: [10, 100, 1000],
  /** How many of 100 builds there are of each kind. */
  mix: { none: 30, one: 65, all: 5 },
  /** For what part of the time builders are at work, so that few builds wait for one. */
  busy: 0.5,
} as const;

/** Who keeps what between two builds. */
export interface Arrangement extends Pick<MeasuredBuild, "tool" | "client" | "builder"> {
  readonly name: string;
}

export const arrangements: readonly Arrangement[] = [
  { name: "clients and builders are kept", tool: "xbuild", client: "kept", builder: "kept" },
  { name: "new clients, builders are kept", tool: "xbuild", client: "new", builder: "kept" },
  { name: "new clients, new builders", tool: "xbuild", client: "new", builder: "new" },
  { name: "BuildKit alone, builders are kept", tool: "buildkit", client: "new", builder: "kept" },
  { name: "BuildKit alone, new builders", tool: "buildkit", client: "new", builder: "new" },
];

/** What many builds come to, in an hour. */
export interface Load {
  /** Bytes between clients and builders, both ways. */
  readonly between: number;
  /** Bytes that the registry gives, and gets. */
  readonly fromRegistry: number;
  readonly toRegistry: number;
  readonly requestsPerSecond: number;
  /** How many builders are needed; of the kind that was measured. */
  readonly builders: number;
}

/**
 * What a rate of builds comes to: those of the mix, each as it was measured; nothing that one build does makes another
 * one cheaper or dearer than the one that was measured.
 * @param rate builds an hour
 * @throws where one of them was not measured
 */
export function computeLoad(measured: Measured, arrangement: Arrangement, rate: number): Load {
  const parts = (["none", "one", "all"] as const).map((change) => ({
    build: findBuild(measured, arrangement, change),
    count: (rate * assumed.mix[change]) / 100,
  }));
  const total = (read: (build: MeasuredBuild) => number): number =>
    parts.reduce((sum, { build, count }) => sum + count * read(build), 0);
  const totalBytes = (...of: readonly Way[]): number =>
    total(({ bytes }) => of.reduce((sum, way) => sum + bytes[way], 0));
  const hour = 3600;
  return {
    between: totalBytes("client>builder", "builder>client"),
    fromRegistry: totalBytes("registry>client", "registry>builder"),
    toRegistry: totalBytes("client>registry", "builder>registry"),
    requestsPerSecond: total(({ requests }) => requests.client + requests.builder) / hour,
    builders: Math.ceil(total(builderSeconds) / hour / assumed.busy),
  };
}

/** All of a build's time, where a builder was asked for anything at all. */
function builderSeconds({ seconds, bytes }: MeasuredBuild): number {
  return bytes["client>builder"] > 0 ? seconds : 0;
}

/** A first build is one of machines that have nothing of it, whatever they keep. */
function findBuild({ builds }: Measured, arrangement: Arrangement, change: Change): MeasuredBuild {
  const { name, tool, client, builder } = arrangement;
  const found = builds.find(
    (build) =>
      build.tool === tool &&
      build.change === change &&
      build.other === undefined &&
      (change === "all" || (build.client === client && build.builder === builder)),
  );
  if (found === undefined) throw new Error(`${name}: a build of "${change}" was not measured`);
  return found;
}
