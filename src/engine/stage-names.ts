import type {
  Flag,
  Instruction,
  Reference,
  ResolvedStage,
} from "../containerfile/containerfile.ts";
import { type BuildPlan, type Edit, imageKey } from "../plan/plan.ts";
import type { UnseenInputs } from "./model.ts";
import type { LoweredHeredocs } from "./containers/lower-heredocs.ts";

/** Names that a run gives to images from outside, by their keys (`imageKey`); what has none keeps its own. */
export type PinnedImages = ReadonlyMap<string, string>;

/** What a build for a platform knows of images from outside, by their keys. */
export interface PlacedImages {
  /** Their platforms: an engine finds an image by its name only where it is asked for that of its config. */
  readonly platforms: ReadonlyMap<string, string>;
  /** By its ID it is found whatever it is for. */
  readonly ids: ReadonlyMap<string, string>;
  /** Whether the call itself has a platform. */
  readonly isCalled: boolean;
}

/** What a run calls images and steps. */
export interface StageNames {
  readonly pinned: PinnedImages;
  readonly placed?: PlacedImages | undefined;
  /** The IDs of images from outside, by their keys. */
  readonly mounted: PinnedImages;
  /** Image IDs of the stages that were built before, by stage index. */
  readonly stages: ReadonlyMap<number, string>;
  readonly digests: UnseenInputs["digests"];
  readonly heredocs: LoweredHeredocs;
}

/** The changes of the file that have the needed stages use those names. */
export function renameAll(
  plan: BuildPlan,
  { pinned, placed, mounted, stages }: Omit<StageNames, "digests" | "heredocs">,
): readonly Edit[] {
  const twins = nameTwins(plan);
  const platforms = listPlatforms(plan, placed);
  return plan.needed.flatMap((one) => {
    const names = { pinned, placed, stages: twins };
    return [
      ...pinBase(one, names),
      ...pinUses(one, { ...names, platform: platforms.get(one.stage.index) }),
      ...renameMounts(one, { mounted, pinned, stages }),
    ];
  });
}

/**
 * Names for stages that have theirs in common with another one, by their indexes: buildah 1.28 takes the one that was
 * built last. What triggers say of them stands in no text of ours: then they keep theirs.
 */
function nameTwins({
  containerfile,
  needed,
  dependencies,
}: BuildPlan): ReadonlyMap<number, string> {
  if (dependencies.fired.size > 0) return new Map();
  const counts = new Map<string, number>();
  for (const { name } of containerfile.stages)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isTwin = (name: string | undefined): boolean => (counts.get(name ?? "") ?? 0) > 1;
  return new Map(
    needed.flatMap(({ stage: { name, index } }) =>
      isTwin(name) ? [[index, `xbuild-stage-${index}`]] : [],
    ),
  );
}

/**
 * What is mounted is named by its image's ID: so the step is another one with another image, and the same one in each
 * run, whatever the run calls the image.
 */
function renameMounts(
  { uses, ...stage }: ResolvedStage,
  { mounted, pinned, stages }: Pick<StageNames, "mounted" | "pinned" | "stages">,
): readonly Edit[] {
  const mounts = uses.filter(({ instruction }) => instruction.keyword === "RUN");
  return renameUses({ ...stage, uses: mounts }, (reference) => {
    if (reference.kind === "stage") return stages.get(reference.index);
    const key = imageKey(reference) ?? "";
    return mounted.get(key) ?? pinned.get(key);
  });
}

interface UsedNames extends Pick<StageNames, "pinned" | "placed"> {
  /** What stages are called, by their indexes. */
  readonly stages: ReadonlyMap<number, string>;
  /** Of the stage, as the engine knows it. */
  readonly platform?: string | undefined;
}

/** Mounts have names of another kind. */
function pinUses({ uses, ...stage }: ResolvedStage, names: UsedNames): readonly Edit[] {
  const copies = uses.filter(({ instruction }) => instruction.keyword !== "RUN");
  return renameUses({ ...stage, uses: copies }, (reference) => nameUsed(reference, names));
}

/** The name of what a step reads. Engines look for what a stage copies or mounts by the platform of the stage. */
export function nameUsed(
  reference: Reference,
  { pinned, placed, stages, platform }: UsedNames,
): string | undefined {
  if (reference.kind === "stage") return stages.get(reference.index);
  const key = imageKey(reference);
  if (key === undefined) return undefined;
  return placed === undefined || placed.platforms.get(key) === platform
    ? pinned.get(key)
    : placed.ids.get(key);
}

/** The platforms of the images at the bottom of stages. */
function listPlatforms(
  { needed }: BuildPlan,
  placed: PlacedImages | undefined,
): ReadonlyMap<number, string | undefined> {
  const platforms = new Map<number, string | undefined>();
  if (placed === undefined) return platforms;
  for (const { base, stage } of needed) {
    const own = placed.platforms.get(imageKey(base) ?? "");
    platforms.set(stage.index, base.kind === "stage" ? platforms.get(base.index) : own);
  }
  return platforms;
}

/** A FROM with another image or name; line breaks within it are kept, behind it. */
function pinBase(
  { stage, base, platform }: ResolvedStage,
  { pinned, placed, stages }: Omit<UsedNames, "platform">,
): readonly Edit[] {
  const key = imageKey(base) ?? "";
  const below = base.kind === "stage" ? stages.get(base.index) : pinned.get(key);
  const own = stages.get(stage.index);
  if (below === undefined && own === undefined) return [];
  const { span, text, args } = stage.from;
  const isPlaced = platform !== undefined || placed?.isCalled === true;
  const wanted = isPlaced ? (placed?.platforms.get(key) ?? platform) : undefined;
  const flag = wanted === undefined ? "" : `--platform=${wanted} `;
  const image = below ?? args.split(/\s+/)[0];
  const name = own === undefined ? /\s(AS\s+\S+)\s*$/i.exec(text)?.[1] : `AS ${own}`;
  const lines = "\n".repeat(stage.from.endLine - span.start.line);
  return [{ span, text: `FROM ${flag}${image}${name === undefined ? "" : ` ${name}`}${lines}` }];
}

/** The sources that a stage's steps read, where they have another name. */
export function renameUses(
  { uses }: ResolvedStage,
  rename: (reference: Reference) => string | undefined,
): readonly Edit[] {
  return uses.flatMap((use): readonly Edit[] => {
    const image = rename(use.reference);
    if (image === undefined) return [];
    return [{ span: use.flag.span, text: renameSource(use.instruction, use.flag, image) }];
  });
}

/** `--from=stage` as `--from=image`, or the `from=` field of a mount. */
function renameSource(instruction: Instruction, flag: Flag, image: string): string {
  if (instruction.keyword !== "RUN") return `--from=${image}`;
  const fields = (flag.value ?? "")
    .split(",")
    .map((field) => (field.trim().startsWith("from=") ? `from=${image}` : field));
  return `--mount=${fields.join(",")}`;
}
