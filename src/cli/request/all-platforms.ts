import { readRemotePlatforms } from "../../copy/copy.ts";
import type { Reference, ResolvedStage, StageGraph } from "../../containerfile/containerfile.ts";
import type { Engine } from "../../engine/engine.ts";
import { XbuildError } from "../../errors.ts";
import {
  isLocalName,
  namePlatform,
  parseConfig,
  platformOf,
  type WantedPlatform,
} from "../../oci/oci.ts";
import { listValues, usageError } from "../line/arguments.ts";
import { type BuildCommandLine, hostPlatform } from "../line/build-line.ts";
import { splitPair } from "../line/values.ts";
import type { CliIo } from "../io.ts";
import { type Parsed, resolveFor } from "./parsed.ts";
import { parseReferences, readAccess } from "./registries.ts";
import { parsePull } from "./steps-request.ts";

interface Sources {
  readonly parsed: Parsed;
  readonly engine: Engine;
}

/**
 * `--all-platforms`: those that all images have on which the target's stages stand, or whose layers it takes
 * (`OUTPUT --from`); stages that are built for another platform than the target's do not count. What a registry does
 * not have the engine may. buildah-build(1). Errors: `usage` where there is no such image, or no such platform;
 * `registry-*`.
 */
export async function listAllPlatforms(
  line: BuildCommandLine,
  { parsed, engine }: Sources,
  io: CliIo,
): Promise<readonly string[]> {
  const offers = new Map<string, Promise<readonly string[]>>();
  const ask = (name: string): Promise<readonly string[]> => {
    const asked = offers.get(name) ?? listOffers(name, { line, engine }, io);
    offers.set(name, asked);
    return asked;
  };
  const bases = listBases(parsed, line, hostPlatform());
  if (bases.length === 0) {
    throw usageError(
      "--all-platforms: no stage of the target stands on an image of the target's platform",
      "name the platforms with --platform",
    );
  }
  const all = await Promise.all(bases.map(ask));
  const fitting: string[] = [];
  for (const platform of new Set(all.flat())) {
    // A name may have the architecture in it; where there is none of it, the platform does not count.
    const own = listBases(parsed, line, platform).map((name) =>
      ask(name).catch((error: unknown) => forgive(error, bases.includes(name))),
    );
    const offers = await Promise.all(own);
    if (offers.every((offer) => offer.includes(platform))) fitting.push(platform);
  }
  if (fitting.length > 0) return fitting;
  throw usageError(
    `--all-platforms: there is no platform that all of ${bases.join(", ")} are there for`,
    "name the platforms with --platform",
  );
}

function forgive(error: unknown, isCommon: boolean): readonly string[] {
  if (isCommon || !(error instanceof XbuildError)) throw error;
  return [];
}

function listBases(parsed: Parsed, line: BuildCommandLine, platform: string): readonly string[] {
  const graph = resolveFor(parsed, line, platform);
  const other = resolveFor(
    parsed,
    line,
    platform === "linux/amd64" ? "linux/arm64" : "linux/amd64",
  );
  const names = graph.needed.flatMap((index) => {
    const stage = graph.stages[index];
    if (stage === undefined || isFixed(stage, other)) return [];
    const references = [stage.base, ...(stage.output?.from ?? [])];
    return references.flatMap((one) => nameImage(one, line));
  });
  return [...new Set(names)];
}

/** Whether it is the same for every platform: `FROM --platform=$BUILDPLATFORM`. */
function isFixed({ stage, platform }: ResolvedStage, other: StageGraph): boolean {
  return platform !== undefined && other.stages[stage.index]?.platform === platform;
}

const imagePrefix = "docker-image://";

function nameImage(reference: Reference, line: BuildCommandLine): readonly string[] {
  if (reference.kind === "image") return [reference.name];
  if (reference.kind !== "context") return [];
  const contexts = new Map(listValues(line, "build-context").map((word) => splitPair(word)));
  const value = contexts.get(reference.name) ?? "";
  return value.startsWith(imagePrefix) ? [value.slice(imagePrefix.length)] : [];
}

interface Asked {
  readonly line: BuildCommandLine;
  readonly engine: Engine;
}

async function listOffers(
  name: string,
  { line, engine }: Asked,
  io: CliIo,
): Promise<readonly string[]> {
  const here = async (): Promise<readonly WantedPlatform[]> => listHere(name, engine);
  const offered =
    parsePull(line) === "never" || isLocalName(name)
      ? await here()
      : await askRegistry(name, line, io).catch(async (error: unknown) => {
          const found = error instanceof XbuildError && !io.signal.aborted ? await here() : [];
          if (found.length > 0) return found;
          throw error;
        });
  const known = offered.length > 0 ? offered : await here();
  if (known.length > 0) return known.filter(isKnown).map(namePlatform);
  throw usageError(
    `--all-platforms: the image ${name} is neither in a registry nor in ${engine.name}'s storage`,
    "name the platforms with --platform",
  );
}

/** What has no platform says `unknown`. */
function isKnown({ os }: WantedPlatform): boolean {
  return os !== "unknown" && os !== "";
}

async function askRegistry(
  name: string,
  line: BuildCommandLine,
  io: CliIo,
): Promise<readonly WantedPlatform[]> {
  const [reference] = await parseReferences([name], io);
  if (reference?.repository === undefined) return [];
  const access = readAccess(line, io);
  return (await readRemotePlatforms(reference, { access, signal: io.signal })) ?? [];
}

async function listHere(name: string, engine: Engine): Promise<readonly WantedPlatform[]> {
  const list = await engine.readList(name);
  if (list !== undefined) return list.flatMap(({ platform }) => platform ?? []);
  const id = await engine.findImage(name);
  if (id === undefined) return [];
  return [platformOf({ config: parseConfig(await engine.readConfig(id)) })];
}
