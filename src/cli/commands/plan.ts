import { platformOf, renderPlatform } from "../../oci/oci.ts";
import { type ImagePlan, readPlan, renderPlanFile } from "../../pipeline/pipeline.ts";
import { show, showJson, showLines } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import {
  type CommandLine,
  type FlagSpec,
  helpFlag,
  isSet,
  lastValue,
  listValues,
  parseCommandLine,
  usageError,
} from "../line/arguments.ts";
import { hostPlatform } from "../line/build-line.ts";
import { refuseValue } from "../line/values.ts";
import { renderPlan } from "../report/plan-table.ts";
import { createReporter } from "../report/reporter.ts";
import { listHistorySources } from "../request/history-sources.ts";
import { splitPlatform } from "../request/platform.ts";
import { parseSource } from "../request/rebase-request.ts";
import { accessFlags, readAccess } from "../request/registries.ts";
import { formatFlag, openUserStore } from "./store-command.ts";

const flags: readonly FlagSpec[] = [
  formatFlag,
  { name: "history", kind: "value" },
  { name: "platform", kind: "value" },
  ...accessFlags,
  helpFlag,
];

const help = show`Usage: xbuild plan IMAGE [FLAGS]

How the layers of an image share its packages, from the lowest: their sizes, how often each is expected to change in a
month, and the bytes that this costs whoever follows the image. IMAGE is a name of the store or of a registry, oci:DIR
and the like; its manifest and config are read, and no layer. Of an image of the store the numbers are what its build
expected; else those of --history count.

      --format FORMAT      table (default), json, or plan: a file for xbuild split --plan and layer split --plan
      --history IMAGE      an earlier image, or a pattern of tags, such as REGISTRY/NAME:v*; repeatable
      --platform OS/ARCH   which image of a list is meant
      --tls-verify, --creds, --authfile, --cert-dir, --retry, --retry-delay   as with xbuild build
`;

/** `xbuild plan`. @returns 0 @throws XbuildError `usage`, `name-invalid`, `image-not-found`, `registry-*` */
export async function runPlan(words: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(words, flags);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  const print = chooseFormat(line);
  const [text, ...more] = [...line.operands, ...line.rest];
  if (text === undefined || more.length > 0) throw usageError("plan needs the name of one image");
  const { stored, reference } = await parseSource(text, io);
  const platform = splitPlatform(lastValue(line, "platform") ?? hostPlatform());
  const history = await listHistorySources(listValues(line, "history"), io);
  // What is told of the reading is no part of the plan.
  const reporter = createReporter({ ...io, stdout: io.stderr }, { progress: "quiet" });
  const store = await openUserStore(io);
  const work = { store, registries: readAccess(line, io), reporter, signal: io.signal };
  print(await readPlan({ text, stored, reference, platform, history }, work), { text, io });
  return 0;
}

interface Printing {
  /** As the user named the image. */
  readonly text: string;
  readonly io: CliIo;
}

type Print = (plan: ImagePlan, printing: Printing) => void;

const formats: Readonly<Record<string, Print>> = {
  table: (plan, { io }) => io.stdout(renderPlan(plan, io)),
  json: (plan, { text, io }) => io.stdout(showJson(describe(plan, text))),
  plan: ({ file }, { io }) => io.stdout(showLines(renderPlanFile(file))),
};

function chooseFormat(line: CommandLine): Print {
  const format = lastValue(line, "format") ?? "table";
  const print = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (print !== undefined) return print;
  throw refuseValue("--format", format, Object.keys(formats));
}

/** As programs get it: sizes in bytes, compressed; null where nothing is known. */
function describe({ image, rows, source, file }: ImagePlan, name: string): object {
  return {
    image: name,
    digest: image.digest,
    platform: renderPlatform(platformOf(image)),
    source,
    history: file.history,
    layers: rows.map(({ digest, packages, size, changesPerMonth, bytesPerMonth }) => ({
      digest,
      packages,
      size,
      changesPerMonth: changesPerMonth ?? null,
      bytesPerMonth: bytesPerMonth ?? null,
    })),
  };
}
