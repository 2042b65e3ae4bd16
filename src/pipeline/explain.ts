import { compareContexts, type ContextFiles, openFiles } from "../context/context.ts";
import { isDigest, type Json } from "../oci/oci.ts";
import { type Store, treePath } from "../store/store.ts";
import { takeRecorded } from "./find-built.ts";
import { findLastBuildRecord } from "./last-build.ts";
import type { BuildInputs, KeyParts } from "./resolve-inputs.ts";
import { describeDetails, usedPart } from "./records.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** How many files are named before the rest is only counted. */
const maxFiles = 10;

/** Tells why a target is built again, where that was asked for. */
export async function tellReasons(build: Build, work: BuildWorkspace): Promise<void> {
  if (!build.request.reuse.explain) return;
  for (const reason of await explainBuild(build, work)) work.reporter.explain(reason);
}

/** Why a target is built again, a line a reason: which part of its key is not what it was at its last build. */
async function explainBuild(build: Build, work: BuildWorkspace): Promise<readonly string[]> {
  const { request, inputs } = build;
  if (request.steps.noCache) return ["--no-cache was given"];
  if (inputs.key === undefined) {
    return [
      "a step, a volume or a context may have changed in a way that cannot be known before the build",
    ];
  }
  const { store } = work;
  const record = await findLastBuildRecord(build, store);
  const before = record?.details;
  if (record === undefined || before === undefined || !isParts(before))
    return ["it was not built here before"];
  const now = describeDetails(build);
  const reasons = Object.keys({ ...before, ...now }).flatMap((part) =>
    explainPart(part, before[part] ?? null, now[part] ?? null),
  );
  const files = explainFiles(before, inputs, store);
  const found = [...reasons, ...files];
  if (found.length > 0) return found;
  // Nothing that it is made of changed. Another build, or one of a stage with --no-cache, made that stage anew.
  const isWhole = (await takeRecorded(record, work)) !== undefined;
  return isWhole
    ? ["a stage that it uses was made anew"]
    : ["its image, or a part of it, is no longer in the store"];
}

function isParts(value: Json): value is KeyParts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const labels: Readonly<Record<string, string>> = {
  version: "this version of xbuild makes other images from the same inputs",
  texts: "the text of the file changed",
  escape: "the escape character changed",
  links: "a name or a number of a stage means another one",
  output: "another stage is built",
  platform: "the platform changed",
  epoch: "the epoch changed",
  timestamp: "--timestamp was given, or left out",
  limits: "a limit changed",
  flags: "a flag that reaches the steps changed",
};

const entryLabels: Readonly<Record<string, string>> = {
  arguments: "the build argument",
  images: "the image",
  stages: "the stage",
  labels: "the label",
  annotations: "the annotation",
};

function explainPart(part: string, before: Json, now: Json): readonly string[] {
  if (part === "directories" || part === usedPart || JSON.stringify(before) === JSON.stringify(now))
    return [];
  if (part === "texts") return [explainTexts(before, now)];
  const label = entryLabels[part];
  if (label === undefined) return [labels[part] ?? `${part} changed`];
  const [then, today] = [toEntries(before), toEntries(now)];
  const names = [...new Set([...then.keys(), ...today.keys()])];
  return names
    .filter((name) => then.get(name) !== today.get(name))
    .map((name) => `${label} ${name} ${tellChange(then.get(name), today.get(name))}`);
}

/** The first instruction that is another one: what follows it is often the same, only moved. */
function explainTexts(before: Json, now: Json): string {
  const [then, today] = [toStrings(before), toStrings(now)];
  const at = today.findIndex((text, index) => text !== then[index]);
  const changed = today[at < 0 ? today.length - 1 : at] ?? "";
  return `the text of the file changed, first at: ${changed.split("\n")[0] ?? ""}`;
}

function toStrings(value: Json): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function toEntries(value: Json): ReadonlyMap<string, string> {
  if (!Array.isArray(value)) return new Map();
  return new Map(
    value.flatMap((entry): readonly (readonly [string, string])[] => {
      const [name, text] = toStrings(entry);
      return name === undefined || text === undefined ? [] : [[name, text]];
    }),
  );
}

function tellChange(before: string | undefined, now: string | undefined): string {
  if (before === undefined) return "is new";
  return now === undefined ? "is no longer there" : "changed";
}

function explainFiles(before: KeyParts, inputs: BuildInputs, store: Store): readonly string[] {
  const then = toEntries(before["directories"] ?? null);
  const reasons: string[] = [];
  for (const [role, { digest, files }] of inputs.directories) {
    const earlier = then.get(role);
    if (earlier === digest) continue;
    const known = earlier !== undefined && isDigest(earlier);
    const tree = known ? openFiles(treePath(store, earlier), earlier) : undefined;
    reasons.push(...(tree === undefined ? [`the ${role} changed`] : listFiles(role, tree, files)));
  }
  return reasons;
}

function listFiles(role: string, before: ContextFiles, now: ContextFiles): readonly string[] {
  const told: string[] = [];
  let rest = 0;
  for (const { path, what } of compareContexts(before, now)) {
    if (told.length < maxFiles) told.push(`${role}: ${path} (${what})`);
    else rest += 1;
  }
  return rest > 0 ? [...told, `${role}: and ${rest} more`] : told;
}
