import { expandWord } from "./expand.ts";
import type { ContextRead, Instruction, Reference } from "./model.ts";
import { isContextMount, isElsewhere, readMount } from "./references.ts";
import { isUnknown, lookupIn, type Scope } from "./scope.ts";
import type { ScopedInstruction, StageContext } from "./stage-context.ts";
import { decodeText } from "./text.ts";

/** What stands in the place of an instruction's `from`, by the flag that names it. */
export type FindReference = (flag: Instruction["flags"][number]) => Reference | undefined;

/** What an instruction reads of the build context and of named contexts. */
export function listReads(
  { containerfile: { escape } }: Pick<StageContext, "containerfile">,
  { instruction, scope }: Omit<ScopedInstruction, "stage">,
  findReference: FindReference,
): readonly ContextRead[] {
  const { keyword } = instruction;
  const place = { instruction, scope, escape };
  if (keyword === "RUN") return listMounts(place, findReference);
  return keyword === "COPY" || keyword === "ADD" ? listSources(place, findReference) : [];
}

interface ReadPlace extends Omit<ScopedInstruction, "stage"> {
  readonly escape: "\\" | "`";
}

function listMounts(place: ReadPlace, findReference: FindReference): readonly ContextRead[] {
  return place.instruction.flags.flatMap((flag): readonly ContextRead[] => {
    const mount = readMount(flag);
    if (mount === undefined || !showsContent(mount)) return [];
    const context = isContextMount(flag) ? undefined : nameContext(findReference(flag));
    if (context === null) return [];
    const source = mount.get("source") ?? "";
    // Older engines take a variable for a part of the name.
    const path = source.includes("$") ? undefined : readPath(source, place);
    const { instruction } = place;
    const isWritable = mayWrite(mount);
    return [{ ...joinPaths([path]), instruction, context, isMount: true, isWritable }];
  });
}

/** A cache begins with what its `from` has, and engines may show that itself (buildah 1.28). */
function showsContent(mount: ReadonlyMap<string, string>): boolean {
  const type = mount.get("type") ?? "bind";
  return type === "bind" || (type === "cache" && mount.has("from"));
}

/** A cache is for writing. Of a bind mount every option counts that could say so, whatever its value. */
function mayWrite(mount: ReadonlyMap<string, string>): boolean {
  const isOpened = [...mount.keys()].some((name) => /^(?:rw|readwrite)$|[$]/.test(name));
  const isClosed = ["ro", "readonly"].every((name) =>
    ["true", "", undefined].includes(mount.get(name)),
  );
  return mount.get("type") === "cache" || isOpened || !isClosed;
}

function listSources(place: ReadPlace, findReference: FindReference): readonly ContextRead[] {
  const { instruction } = place;
  const from = instruction.flags.find(({ name }) => name === "from");
  const context = from === undefined ? undefined : nameContext(findReference(from));
  if (context === null) return [];
  const words = instruction.json ?? decodeText(instruction.args).split(/[\t\v\f\r ]+/);
  const sources = words.slice(0, -1).filter((source) => !isElsewhere(source, instruction));
  if (sources.length === 0) return [];
  // The directories above a source are copied, too.
  const isWhole = instruction.flags.some(({ name }) => name === "parents");
  const paths = isWhole ? [undefined] : sources.map((source) => readPath(source, place));
  const remote = sources.flatMap((source) => expandRemote(source, place));
  const read = { ...joinPaths(paths), instruction, context, isMount: false };
  return [remote.length === 0 ? read : { ...read, remote }];
}

/** What a variable makes of a source of ADD, where that is elsewhere, or where nobody knows whether it is. */
function expandRemote(word: string, { instruction, scope, escape }: ReadPlace): readonly string[] {
  if (instruction.keyword !== "ADD" || !word.includes("$")) return [];
  const expansion = expandWord(word, lookupIn(scope), escape);
  if (!expansion.ok || expansion.unset.some((name) => isUnknown(scope, name)))
    return word.startsWith("$") ? ["https://"] : [];
  return isElsewhere(expansion.value, instruction) ? [expansion.value] : [];
}

/** The context's name; null where the reference is none. */
function nameContext(reference: Reference | undefined): string | null {
  return reference?.kind === "context" ? reference.name : null;
}

interface ReadPath {
  readonly path: string;
  /** Variables in it. */
  readonly variables: readonly string[];
}

function joinPaths(
  paths: readonly (ReadPath | undefined)[],
): Pick<ContextRead, "paths" | "unless"> {
  const known = paths.filter((one) => one !== undefined);
  return known.length < paths.length
    ? { paths: undefined, unless: [] }
    : {
        paths: known.map(({ path }) => path),
        unless: [...new Set(known.flatMap(({ variables }) => variables))],
      };
}

/**
 * A path that stands for itself, relative to the context's root, which is ""; undefined for one that may mean others,
 * or whose meaning the engines do not agree on.
 */
function readPath(word: string, { scope, escape }: ReadPlace): ReadPath | undefined {
  const variables = new Set<string>();
  const lookup = lookupIn(scope);
  const expansion = expandWord(word, (name) => (variables.add(name), lookup(name)), escape);
  if (!expansion.ok || expansion.unset.some((name) => isUnknown(scope, name))) return undefined;
  const path = expansion.value;
  // Quotes and escapes; patterns; what is no text.
  if (/["'`\\*?[\]\uFFFD\s]/.test(word) || /[\\*?[\]\s]/.test(path)) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return undefined;
  return { path: parts.join("/"), variables: listForeign(variables, scope) };
}

/** Those of the variables that a base image may set to something else: ENV counts before ARG, whoever gives it. */
function listForeign(variables: ReadonlySet<string>, scope: Scope): readonly string[] {
  if (!scope.hasUnknownBase) return [];
  return [...variables].filter((name) => !scope.environment.has(name));
}
