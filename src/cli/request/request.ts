import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { DeliveryRequest } from "../../delivery/delivery.ts";
import type { Engine } from "../../engine/engine.ts";
import type { LayersRequest } from "../../layers/layers.ts";
import type { BuildRequest, ReuseRequest } from "../../pipeline/pipeline.ts";
import type { CliIo } from "../io.ts";
import { usageError, isSet, lastValue, listValues } from "../line/arguments.ts";
import { hostPlatform, type BuildCommandLine } from "../line/build-line.ts";
import { parseCount, parseSize, refuseValue, splitPair } from "../line/values.ts";
import { createDeliveryRequest } from "./delivery-request.ts";
import { assertEngineWords, ownerHints } from "./engine-words.ts";
import type { Parsed } from "./parsed.ts";
import { findPlatform, splitPlatform } from "./platform.ts";
import { identifySource } from "./source-identity.ts";
import { createStepsRequest } from "./steps-request.ts";

/** What the file says, and the engine that is asked. */
export interface RequestSources {
  readonly parsed: Pick<Parsed, "sources" | "given">;
  readonly engine: Pick<Engine, "ownFlags" | "isElsewhere">;
}

/** Everything that a command line asks for, checked. @throws XbuildError `usage`, `name-invalid`, `file-not-found` */
export async function createRequest(
  line: BuildCommandLine,
  sources: RequestSources,
  io: CliIo,
): Promise<BuildRequest> {
  refuseFlags(line);
  assertEngineWords(line.rest);
  await assertOneContext(line);
  const delivery = await createDeliveryRequest(line, sources, io);
  const reuse = await createReuseRequest(line, { ...sources, delivery }, io);
  return {
    steps: await createStepsRequest(line, { ...sources, names: reuse.names }, io),
    layers: createLayersRequest(line, io),
    image: {
      labels: new Map(listValues(line, "label").map(parsePair)),
      annotations: Object.fromEntries(listValues(line, "annotation").map(parsePair)),
    },
    reuse,
    delivery,
  };
}

/** As the engines have it; a mistyped command would pass for a context, too. */
async function assertOneContext({ operands }: BuildCommandLine): Promise<void> {
  // The command may stand behind its flags.
  const contexts = operands.slice(operands[0] === "build" ? 1 : 0);
  if (contexts.length <= 1) return;
  const { hideUserInfo } = await import("../../sources/sources.ts");
  const shown = contexts.map(hideUserInfo).join(", ");
  throw usageError(`a build has one context, not ${shown}`, "name one directory");
}

function refuseFlags(line: BuildCommandLine): void {
  const refused = line.flags.find(({ spec, value }) => {
    // What the engines do by themselves.
    const isDefault = spec.name === "userns" && value === "host";
    return spec.role === "refused" && !isDefault;
  });
  if (refused === undefined) return;
  const { name } = refused.spec;
  const hints: Readonly<Record<string, string>> = {
    arch: "use --platform=OS/ARCH",
    os: "use --platform=OS/ARCH",
    variant: "use --platform=OS/ARCH/VARIANT",
    ...ownerHints,
    env: "write an ENV instruction after OUTPUT",
    squash: "leave it out: the build decides which layers there are",
    "squash-all": "leave it out: the build decides which layers there are",
    "cache-to":
      "use --push, for the pushed image is the cache, or --env-cache-to for the environment",
  };
  throw usageError(
    `--${name} cannot be used with OUTPUT`,
    hints[name] ?? "leave it out, or build a file without OUTPUT",
  );
}

async function createReuseRequest(
  line: BuildCommandLine,
  { parsed, delivery }: RequestSources & { readonly delivery: DeliveryRequest },
  io: CliIo,
): Promise<ReuseRequest> {
  return {
    cacheFrom: await readCacheSources(listValues(line, "cache-from"), io),
    source: await identifySource(parsed.sources, listNamed(delivery)),
    names: listNamed(delivery),
    pushes:
      delivery.list?.push === undefined
        ? delivery.pushes
        : [...delivery.pushes, delivery.list.push],
    ...(await readCacheTags(line, delivery)),
    history: await readHistorySources(line, io),
    ignoreErrors: isSet(line, "ignore-cache-errors"),
    trust: parseTrust(lastValue(line, "trust-cache")),
    platform: splitPlatform(findPlatform(line) ?? hostPlatform()),
    redacted: parsed.given.redacted,
    explain: isSet(line, "explain"),
  };
}

async function readCacheSources(
  values: readonly string[],
  io: CliIo,
): Promise<ReuseRequest["cacheFrom"]> {
  if (values.length === 0) return [];
  return (await import("./cache-sources.ts")).listCacheSources(values, io);
}

async function readCacheTags(
  line: BuildCommandLine,
  delivery: DeliveryRequest,
): Promise<Pick<ReuseRequest, "cacheTags">> {
  const patterns = listValues(line, "cache-tags");
  if (patterns.length === 0) return {};
  const { createTagPattern } = await import("./cache-tags.ts");
  return { cacheTags: createTagPattern(patterns, delivery) };
}

async function readHistorySources(
  line: BuildCommandLine,
  io: CliIo,
): Promise<ReuseRequest["history"]> {
  const values = listValues(line, "history");
  if (values.length === 0) return [];
  return (await import("./history-sources.ts")).listHistorySources(values, io);
}

/** What the last image stands under: its own names, and the list that it is one of. */
function listNamed({ names, list }: DeliveryRequest): DeliveryRequest["names"] {
  return list === undefined ? names : [...names, list.name];
}

function parseTrust(text = "named"): ReuseRequest["trust"] {
  if (text === "none" || text === "named" || text === "all") return text;
  throw refuseValue("--trust-cache", text, ["none", "named", "all"]);
}

function createLayersRequest(line: BuildCommandLine, { cwd }: CliIo): LayersRequest {
  const keepOutput = lastValue(line, "keep-output");
  return {
    ...(keepOutput === undefined ? {} : { keepOutput: resolve(cwd, keepOutput) }),
    input: parseInput(lastValue(line, "input")),
    maxLayers: parseCount(lastValue(line, "max-layers") ?? "127", "--max-layers"),
    maxLayerSize: parseSize(lastValue(line, "max-layer-size") ?? "10g", "--max-layer-size"),
    allowDevices: isSet(line, "allow-devices"),
    // esbuild puts every chunk into dist/, where scripts/build.mjs puts bin/.
    helperDirectory: fileURLToPath(new URL("bin", import.meta.url)),
  };
}

function parseInput(text: string | undefined): LayersRequest["input"] {
  if (text === undefined || text === "local" || text === "all" || text === "none") return text;
  throw refuseValue("--input", text, ["local", "all", "none"]);
}

function parsePair(word: string): readonly [string, string] {
  const [name, value] = splitPair(word);
  return [name, value ?? ""];
}
