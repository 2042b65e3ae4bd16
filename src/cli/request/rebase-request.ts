import type { RebaseRequest, SourceName } from "../../rebase/rebase.ts";
import { type ImageName, isLocalName, parseImageName } from "../../oci/oci.ts";
import { isRegistry, parseReference, type ImageReference } from "../../copy/copy.ts";
import {
  usageError,
  type CommandLine,
  type FlagSpec,
  helpFlag,
  isSet,
  lastValue,
  listValues,
} from "../line/arguments.ts";
import { hostPlatform } from "../line/build-line.ts";
import type { CliIo } from "../io.ts";
import { accessFlags, listPushedNames, parseReferences } from "./registries.ts";
import { splitPlatform } from "./platform.ts";
import { parseCount } from "../line/values.ts";

/** Every flag of `xbuild rebase`. */
export const rebaseFlags: readonly FlagSpec[] = [
  { name: "onto", kind: "value" },
  { name: "from", kind: "value" },
  { name: "tag", short: "t", kind: "value" },
  { name: "push", kind: "boolean" },
  { name: "force", kind: "boolean" },
  { name: "max-layers", kind: "value" },
  { name: "platform", kind: "value" },
  { name: "quiet", short: "q", kind: "boolean" },
  { name: "progress", kind: "value" },
  ...accessFlags,
  helpFlag,
];

/** What a command line asks for, checked. Errors: `usage`, `name-invalid`. */
export async function createRebaseRequest(line: CommandLine, io: CliIo): Promise<RebaseRequest> {
  const [text, ...more] = [...line.operands, ...line.rest];
  if (text === undefined || more.length > 0) throw usageError("rebase needs the name of one image");
  const [onto, from] = [lastValue(line, "onto"), lastValue(line, "from")];
  if (onto === undefined) throw usageError("rebase needs a new base", "name it with --onto");
  return {
    ...parseTarget(text, { tags: listValues(line, "tag"), push: isSet(line, "push") }),
    onto: await parseSource(onto, io),
    from: from === undefined ? undefined : await parseSource(from, io),
    platform: splitPlatform(lastValue(line, "platform") ?? hostPlatform()),
    everyPlatform: lastValue(line, "platform") === undefined,
    maxLayers: parseCount(lastValue(line, "max-layers") ?? "127", "--max-layers"),
    force: isSet(line, "force"),
  };
}

/** RFC 3339 in whole seconds: SOURCE_DATE_EPOCH, else now. Errors: `usage`. */
export function readTime(io: CliIo): string {
  const epoch = io.env["SOURCE_DATE_EPOCH"];
  const time = epoch ? parseCount(epoch, "SOURCE_DATE_EPOCH", 0) * 1000 : Date.now();
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

type Target = Pick<RebaseRequest, "image" | "names" | "pushes">;

interface TargetOptions {
  readonly tags: readonly string[];
  readonly push: boolean;
}

/** Where the result goes is of the image's kind: names of the store, or tags of registries. */
function parseTarget(text: string, { tags, push }: TargetOptions): Target {
  if (!isRegistry(text)) {
    const { full } = parseImageName(text);
    const names = (tags.length === 0 ? [text] : tags).map((one) => parseImageName(one));
    return {
      image: { text, stored: full, reference: undefined },
      names: listUnique(names),
      pushes: push ? listPushedNames(names) : [],
    };
  }
  const reference = parseReference(text);
  if (reference.digest !== undefined && tags.length === 0) {
    throw usageError(
      `${text} is a digest, which cannot name another image`,
      "name the result with -t",
    );
  }
  const pushes = tags.length === 0 ? [reference] : tags.flatMap(parsePush);
  return { image: { text, stored: undefined, reference }, names: [], pushes };
}

function listUnique(names: readonly ImageName[]): readonly string[] {
  return [...new Set(names.map((one) => one.full))];
}

function parsePush(text: string): readonly ImageReference[] {
  return isRegistry(text) ? [parseReference(text)] : listPushedNames([parseImageName(text)]);
}

/** A base may be anywhere. A digest says more than the store's names do. */
export async function parseSource(text: string, io: CliIo): Promise<SourceName> {
  const [reference] = await parseReferences([text], io);
  const isElsewhere = isRegistry(text) || reference?.repository === undefined;
  if (isElsewhere || text.includes("@")) return { text, stored: undefined, reference };
  const { full } = parseImageName(text);
  return { text, stored: full, reference: isLocalName(text) ? undefined : reference };
}
