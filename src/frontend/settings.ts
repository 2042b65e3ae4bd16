import { readFile } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { exitStatuses, XbuildError } from "../errors.ts";
import { DefinitionSchema } from "./gateway/messages/llb_pb.ts";
import { readState, type State } from "./llb/state.ts";
import type { FileBuild } from "./build.ts";
import { listPrefixed, type FrontendOptions } from "./options.ts";
import type { FrontendLimits } from "./work.ts";

/** What BuildKit made this program's file system of. BuildKit, `frontend/gateway/gateway.go`, `metadataMount` */
const ownDefinition = "/run/config/buildkit/metadata/frontend.bin";

/** The image that this program runs in. */
export async function readOwnImage(): Promise<State> {
  return readState(fromBinary(DefinitionSchema, await readFile(ownDefinition)));
}

const known = [
  "XBUILD_CACHE_FROM",
  "XBUILD_HISTORY",
  "XBUILD_MAX_LAYERS",
  "XBUILD_MAX_LAYER_SIZE",
  "XBUILD_ALLOW_DEVICES",
];

/** A build argument that looks like one of ours, is none, and is none of the file's. Errors: `usage`. */
export function assertKnownArguments({
  options,
  containerfile,
}: Pick<FileBuild, "options" | "containerfile">): void {
  const declared = new Set(
    containerfile.instructions
      .filter(({ keyword }) => keyword === "ARG")
      .flatMap(({ args }) => args.split(/[\s=]+/)),
  );
  const names = [...listPrefixed(options, "build-arg:").keys()];
  const odd = names.find(
    (one) => one.startsWith("XBUILD_") && !known.includes(one) && !declared.has(one),
  );
  if (odd === undefined) return;
  throw new XbuildError("usage", `there is no build argument ${odd}`, {
    hint: `give one of ${known.join(", ")}, or declare it with ARG`,
    exitStatus: exitStatuses.usage,
  });
}

const defaultLayers = 127;
const defaultSize = 10 * 1024 ** 3;

/**
 * Clients have no flags of ours: build arguments stand for them, `XBUILD_MAX_LAYERS`, `XBUILD_MAX_LAYER_SIZE` (bytes) and
 * `XBUILD_ALLOW_DEVICES`. Errors: `usage`.
 */
export function readLimits({ given }: FrontendOptions): FrontendLimits {
  const read = (name: string): number | undefined => {
    const text = given.get(`build-arg:${name}`) ?? "";
    if (text === "") return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new XbuildError("usage", `the build argument ${name} is no number: ${text}`, {
      hint: `give it a whole number: --build-arg ${name}=...`,
      exitStatus: exitStatuses.usage,
    });
  };
  return {
    maxLayers: read("XBUILD_MAX_LAYERS") ?? defaultLayers,
    maxLayerSize: read("XBUILD_MAX_LAYER_SIZE") ?? defaultSize,
    allowDevices: /^(?:1|true|yes)$/.test(given.get("build-arg:XBUILD_ALLOW_DEVICES") ?? ""),
    epoch: readEpoch(read("SOURCE_DATE_EPOCH")),
  };
}

/** Later ones have no form that documents take. RFC 3339 */
const lastSecond = 253_402_300_799;

function readEpoch(epoch: number | undefined): number | undefined {
  if (epoch === undefined || epoch <= lastSecond) return epoch;
  throw new XbuildError("usage", `SOURCE_DATE_EPOCH is behind the year 9999: ${epoch}`, {
    hint: "give it in seconds since 1970",
    exitStatus: exitStatuses.usage,
  });
}
