import { measureStore } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../report/table.ts";
import { createReporter } from "../report/reporter.ts";
import { renderSize, sumSizes } from "../../units.ts";
import { show, showJson } from "../../visible.ts";
import {
  engineFlags,
  type EngineUsage,
  measureEngines,
  selectEngines,
} from "./engine-leftovers.ts";
import { formatFlag, openUserStore, readCommandLine, wantsJson } from "./store-command.ts";

const help = show`Usage: xbuild cache du [FLAGS]

Says what takes the space of the store, and what builds left in the engines' storages. What several
images share counts once.

      --engine NAME        look into this engine's storage alone
      --engine-arg WORD    an option of the engine, such as --root=DIR; repeatable
      --format table|json  for people, or for programs
`;

/** `xbuild cache du`. @returns 0 @throws XbuildError `usage` */
export async function runCacheUsage(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, [...engineFlags, formatFlag, helpFlag]);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  if (line.operands.length > 0) throw usageError("cache du takes no argument");
  const isJson = wantsJson(line);
  const store = await openUserStore(io);
  const usage = await measureStore(store);
  const work = { store, reporter: createReporter(io, { quiet: true }), signal: io.signal };
  const engines = await measureEngines(selectEngines(line, io), work);
  const own = Object.values(usage).reduce((sum, size) => sum + size, 0);
  const total = own + sumSizes(engines);
  if (isJson) {
    io.stdout(showJson({ ...usage, engines, total }));
    return 0;
  }
  const rows = [
    ["images with a name", renderSize(usage.named)],
    ["images without a name", renderSize(usage.unnamed)],
    ["blobs of no image", renderSize(usage.orphaned)],
    ["records and caches", renderSize(usage.caches)],
    ["unfinished", renderSize(usage.unfinished)],
    ...engines.flatMap((one) => describeEngine(one, engines.length > 1)),
    ["total", renderSize(total)],
  ];
  io.stdout(renderTable(io, [{ title: "WHAT" }, { title: "SIZE", right: true }], rows));
  return 0;
}

function describeEngine(
  { engines, storage, named, steps, used, foreign, size, reclaimable }: EngineUsage,
  isOneOfSeveral: boolean,
): readonly (readonly string[])[] {
  const where = `${engines.join(" and ")}${isOneOfSeveral ? ` (${storage})` : ""}`;
  const head = `left in the storage of ${where}`;
  if (named + steps === 0) return [[`${head}: nothing`, renderSize(0)]];
  const notes = [
    `${named} with a name, ${steps} without`,
    ...(used === 0 ? [] : [`${used} in use`]),
    ...(foreign === 0 ? [] : [`${foreign} of other stores or older versions`]),
  ];
  return [
    [`${head}: ${notes.join(", ")}`, renderSize(size)],
    ...(reclaimable === size || size === 0
      ? []
      : [[`  of it xbuild cache prune --all frees`, renderSize(reclaimable)]]),
  ];
}
