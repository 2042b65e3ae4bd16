import { renderSize } from "./format.ts";
import { medianOf, type Meter } from "./measure.ts";
import type { BenchRegistry } from "./registry.ts";

/** What a build of an image of many layers has moved. */
export interface Traffic {
  /** The image that was there before. */
  readonly before: ListedImage;
  /** Layers of the image before that were asked for. */
  readonly fetched: number;
  /** Blobs that were sent: layers, configs, caches. */
  readonly sent: number;
  /** Blobs that were mounted from another repository. */
  readonly mounted: number;
  readonly up: number;
  /** Bytes that came down from each repository. */
  readonly down: ReadonlyMap<string, number>;
}

/** An image of one platform in a registry. OCI image specification, `manifest.md` */
interface ListedImage {
  readonly digest: string;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** A meter that says what was moved, too. */
interface Watch {
  readonly meter: Meter;
  /** Says who comes next, and what his image is before that. */
  readonly begin: (traffic: Traffic[], before: ListedImage) => void;
}

/** Adds the traffic of each round to the list of whose round it is. */
export function watchTraffic({ meter, log }: BenchRegistry): Watch {
  let current: { readonly traffic: Traffic[]; readonly before: ListedImage } | undefined;
  const read: Meter["read"] = () => {
    current?.traffic.push(readTraffic(log, current.before));
    return meter.read();
  };
  return {
    meter: { reset: meter.reset, read },
    begin: (traffic, before) => {
      current = { traffic, before };
    },
  };
}

function readTraffic(log: BenchRegistry["log"], before: ListedImage): Traffic {
  const down = new Map<string, number>();
  for (const { path, received } of log.requests) {
    const repository = /^\/v2\/(?<name>.+?)\/(?:blobs|manifests)\//.exec(path)?.groups?.["name"];
    if (repository !== undefined) down.set(repository, (down.get(repository) ?? 0) + received);
  }
  const isLayer = (path: string): boolean =>
    before.layers.some(({ digest }) => path.endsWith(digest));
  return {
    before,
    up: log.uploaded(),
    fetched: log.blobDownloads().filter(({ path }) => isLayer(path)).length,
    sent: log.blobUploads().length,
    mounted: log.mounts().filter(({ status }) => status === 201).length,
    down,
  };
}

const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** Reads what a repository calls `latest`. Errors: where it is not there, or is one of several platforms */
export async function readImage(
  { host }: Pick<BenchRegistry, "host">,
  repository: string,
): Promise<ListedImage> {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/latest`, {
    headers: { accept: manifestTypes.join(", ") },
  });
  if (!response.ok) throw new Error(`${repository} cannot be read: ${response.status}`);
  const digest = response.headers.get("docker-content-digest") ?? "";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- BuildKit wrote it, and the registry has looked at it
  const { layers } = (await response.json()) as Pick<ListedImage, "layers">;
  return { digest, layers };
}

/**
 * What the rounds have moved: of counts the most, of bytes the median.
 * @param image that the last round has pushed
 */
export function describeTraffic(image: ListedImage, rounds: readonly Traffic[]): string {
  const most = (of: (one: Traffic) => number): number => Math.max(...rounds.map(of));
  const known = new Set(rounds.at(-1)?.before.layers.map(({ digest }) => digest));
  const fresh = image.layers.filter(({ digest }) => !known.has(digest));
  const size = fresh.reduce((sum, one) => sum + one.size, 0);
  const beyond = medianOf(rounds.map(({ up }) => up)) - size;
  return [
    `${fresh.length} of ${image.layers.length} layers new, ${renderSize(size)}, and ${renderSize(beyond)} beyond that`,
    `${most(({ fetched }) => fetched)} layers fetched`,
    `${most(({ sent }) => sent)} blobs sent`,
    `${most(({ mounted }) => mounted)} mounted`,
    `down ${renderDown(rounds)}`,
  ].join(", ");
}

/** Each repository's, the largest first. */
function renderDown(rounds: readonly Traffic[]): string {
  const names = new Set(rounds.flatMap(({ down }) => [...down.keys()]));
  const bytes = [...names].map(
    (name) => [name, medianOf(rounds.map(({ down }) => down.get(name) ?? 0))] as const,
  );
  const listed = bytes.filter(([, size]) => size > 0).sort(([, a], [, b]) => b - a);
  return listed.map(([name, size]) => `${renderSize(size)} of ${name}`).join(" + ");
}
