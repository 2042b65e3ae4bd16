import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Diagnostic } from "../../diagnostics.ts";
import { addHint, XbuildError } from "../../errors.ts";
import {
  type BuildWorkspace,
  readSourceConfig,
  takeIn,
  type TakenIn,
} from "../../pipeline/pipeline.ts";
import { splitReference } from "../../copy/copy.ts";
import { beginRun, removeSilentRuns } from "../../store/store.ts";
import { show } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { isSet, usageError } from "../line/arguments.ts";
import { type BuildCommandLine, hostPlatform, readBuildLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
import { createReporter } from "../report/reporter.ts";
import type { Sources } from "../request/locate.ts";
import { asksForSeveral, findPlatform, splitPlatform } from "../request/platform.ts";
import { selectEngine } from "../request/select-engine.ts";
import { renderSplitFile, type SplitImages } from "../request/split-file.ts";
import { createSplitRequest, readSplitLine, type SplitRequest } from "../request/split-request.ts";
import { runBuild } from "./build.ts";
import { openWorkspace } from "./build-workspace.ts";
import { copySplitFiles } from "./split-files.ts";

const help = show`Usage: xbuild split IMAGE -t NEW [FLAGS]

Makes an image with the same files and config as IMAGE, and with layers of its packages, without a
Containerfile. IMAGE is in a registry, the store or the engine's storage, or in oci:DIR[:NAME], oci-archive:FILE,
docker-archive:FILE, docker-daemon:NAME, containers-storage:NAME. Where IMAGE changes, packages that did not change
keep the layers that they have in NEW; where it does not, nothing is done.

  xbuild split registry.example/app:v1 -t registry.example/app:split --push
  xbuild split docker-archive:app.tar -o oci:app
  xbuild split app:v2 --above registry.example/base:1 -t app:split --history 'registry.example/app:v*'
  xbuild split gcr.io/distroless/base --tools docker.io/library/busybox -t base:split

  -t, --tag NEW            name the result; repeatable. IMAGE itself moves only where it is named here
      --above BASE         leave the layers of BASE below as they are, and split what stands above them
      --kind KIND[,KIND]   the package managers, as layer split has them (default auto)
      --max-layers N       how many layers the result may have (default 127)
      --max-layer-bytes SIZE   divide what is larger, such as 500m
      --map FILE           which paths belong to which layer
      --plan FILE          the plan to be followed, such as xbuild plan --format plan prints
      --history IMAGE      an earlier image, or a pattern of tags: how often packages change; repeatable
      --tools IMAGE        for an IMAGE without sh, awk, find, sort or tar: one that has them
  -o, --push, --load, --no-load, --platform, --manifest, --label, --annotation, --cache-from, --cache-tags,
  --engine, --progress, --report, ... as with xbuild build

Exit status: as xbuild build.
`;

/** `xbuild split`. @returns the exit status of the build @throws XbuildError `usage`, `image-not-found`, those of a build */
export async function runSplit(words: readonly string[], io: CliIo): Promise<number> {
  const line = readSplitLine(words);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  const request = createSplitRequest(line, io);
  const work = await openSplit(line, io);
  const taken: TakenIn[] = [];
  try {
    const images = await takeImages(request, { line, taken }, work);
    const sources = await writeSources(renderSplitFile(request, images), request, { io, work });
    // What is not the root of the step shows the image's own devices.
    const devices = request.tools === undefined ? [] : ["--allow-devices"];
    const all = [...request.words, ...devices, "--file=-", sources.context];
    const start = { words: all, again: ["split", ...words], read: readBuildLine(all), sources };
    return await runBuild(start, io);
  } catch (error) {
    throw restate(error, request);
  } finally {
    for (const one of taken) await one.release?.();
  }
}

async function openSplit(line: BuildCommandLine, io: CliIo): Promise<BuildWorkspace> {
  const engine = selectEngine(line, io);
  const reporter = createReporter(io, { progress: readProgress(line, io) });
  return openWorkspace(line, { engine, reporter }, io);
}

interface Taking {
  readonly line: BuildCommandLine;
  /** What is to be given up in the end. */
  readonly taken: TakenIn[];
}

async function takeImages(
  request: SplitRequest,
  { line, taken }: Taking,
  work: BuildWorkspace,
): Promise<SplitImages> {
  const given = findPlatform(line);
  const platform = splitPlatform(given ?? hostPlatform());
  const take = async (text: string): Promise<string> => {
    if (splitReference(text) === undefined && asksForSeveral(line))
      throw usageError(
        `${text} is read for one platform`,
        "give one --platform, or push it to a registry first",
      );
    const one = await takeIn(text, { platform, isGiven: given !== undefined }, work);
    taken.push(one);
    return one.name;
  };
  const image = await take(request.image);
  const config = await readSourceConfig(image, platform, work);
  if ((config?.config?.OnBuild ?? []).length > 0)
    throw usageError(
      `${request.image} has ONBUILD instructions, which would run while it is split`,
      "build an image on it, and split that one",
    );
  const { above, tools } = request;
  return {
    image,
    tools: tools === undefined ? undefined : await take(tools),
    above: above === undefined ? undefined : { mounted: await take(above), below: above },
  };
}

interface Around {
  readonly io: CliIo;
  readonly work: BuildWorkspace;
}

/** The Containerfile, which is in no file, and its context: the files that the step mounts. */
async function writeSources(
  text: string,
  request: SplitRequest,
  { io, work: { store } }: Around,
): Promise<Sources> {
  await removeSilentRuns(store);
  const run = await beginRun(store);
  io.atEnd(() => run.end());
  const context = join(run.directory, "split");
  await mkdir(context);
  await copySplitFiles(request, context, io.signal);
  const origin = `split ${request.image}`;
  return {
    file: "-",
    origin,
    bytes: Buffer.from(text),
    context,
    identity: "split",
    isPrivate: true,
  };
}

/** Nobody has written the file that an error tells of. */
function restate(error: unknown, { image, tools }: SplitRequest): unknown {
  if (!(error instanceof XbuildError)) return error;
  const { code, message, hint, exitStatus, cause } = error;
  const diagnostics = error.diagnostics.map((one) => placeElsewhere(one, image));
  const details = hint === undefined ? {} : { hint };
  const told = new XbuildError(code, message, { ...details, diagnostics, exitStatus, cause });
  if (code !== "step-failed" || tools !== undefined) return told;
  return addHint(
    told,
    "name an image with sh, awk, find, sort and tar by --tools if this one has none",
  );
}

function placeElsewhere(
  { code, severity, message, hint, file }: Diagnostic,
  image: string,
): Diagnostic {
  return {
    code,
    severity,
    message: `xbuild split ${image}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
    ...(file === undefined || file === "-" ? {} : { file }),
  };
}
