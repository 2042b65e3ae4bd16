import type { ContextHash } from "../context/context.ts";
import { applyTriggers, type BuildPlan } from "../plan/plan.ts";
import {
  type BasesFacts,
  type BaseFacts,
  describeStages,
  listBaseNames,
  readBaseFacts,
} from "./base-facts.ts";
import { hashDirectories } from "./hash-directories.ts";
import type { BuildRequest } from "./request.ts";
import { listImages, nameImage, type ResolvedImages, resolveImages } from "./resolve-images.ts";
import { type DirectoryRead, selectDirectories } from "./select-directories.ts";
import type { StageImages } from "./stage-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** A plan with the triggers of its bases, and all that it reads. */
export interface Dependent {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly resolved: ResolvedImages;
  /** Names of the images that stages stand on. */
  readonly bases: readonly string[];
  /** Of those of them of which something is known. */
  readonly facts: BasesFacts;
  /** undefined where it cannot be known which directories are read, or what is in them. */
  readonly reads: readonly DirectoryRead[] | undefined;
  readonly directories: ReadonlyMap<string, ContextHash>;
}

interface Wanted {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly resolved: ResolvedImages | Promise<ResolvedImages>;
  /** The images of other stages, where they are known. */
  readonly stages?: StageImages;
  /** What directories were a moment ago. */
  readonly before?: ReadonlyMap<string, ContextHash>;
}

/**
 * Lets the triggers of base images count, resolves the images that they name in turn, and hashes all that is read.
 * The hashing begins before the bases are known: mostly these change nothing about it.
 */
export async function followTriggers(wanted: Wanted, work: BuildWorkspace): Promise<Dependent> {
  const { request } = wanted;
  const expected = selectDirectories(wanted.plan, request, new Map());
  const hash = (reads: readonly DirectoryRead[]): ReturnType<typeof hashDirectories> =>
    hashDirectories(reads, request, { ...work, ...pickBefore(wanted) });
  const [known, early] = await Promise.all([learnBases(wanted, work), hash(expected ?? [])]);
  const reads = selectDirectories(known.plan, request, known.facts);
  const isExpected = JSON.stringify(reads) === JSON.stringify(expected);
  return { ...known, request, reads, directories: isExpected ? early : await hash(reads ?? []) };
}

function pickBefore({ before }: Wanted): Pick<Wanted, "before"> {
  return before === undefined ? {} : { before };
}

/** What triggers name may be images with triggers of their own: until nothing is new. */
async function learnBases(
  { plan: written, request, resolved: first, stages = new Map() }: Wanted,
  work: BuildWorkspace,
): Promise<Pick<Dependent, "plan" | "resolved" | "facts" | "bases">> {
  const facts = new Map<string, BaseFacts>(describeStages(stages));
  let resolved = await first;
  let plan = written;
  let bases: readonly string[] = [];
  do {
    bases = listBaseNames(plan, request);
    for (const [name, known] of await readAll(bases, { plan, request, resolved }, work)) {
      if (known !== undefined) facts.set(name, known);
    }
    plan = applyTriggers(plan, (base) => facts.get(nameImage(base, request) ?? "")?.triggers ?? []);
    resolved = await resolveImages(plan, { request, known: resolved }, work);
  } while (listBaseNames(plan, request).length > bases.length);
  return { plan, resolved, facts, bases };
}

interface Known extends Pick<Wanted, "plan" | "request"> {
  readonly resolved: ResolvedImages;
}

function readAll(
  names: readonly string[],
  { plan, request, resolved }: Known,
  work: BuildWorkspace,
): Promise<readonly (readonly [string, BaseFacts | undefined])[]> {
  const references = listImages(plan, request);
  return Promise.all(
    names.map(async (name) => {
      const [image, reference] = [resolved.get(name), references.get(name)];
      const isKnown = image !== undefined && reference !== undefined;
      const known = isKnown
        ? await readBaseFacts({ ...image, reference }, request, work)
        : undefined;
      return [name, known] as const;
    }),
  );
}
