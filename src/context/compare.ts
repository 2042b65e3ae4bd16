import type { ContextFiles } from "./files.ts";
import { compareWalk } from "./order.ts";

export interface ContextChange {
  readonly path: string;
  /** `mode` where nothing but the permission bits differ, `attributes` where extended attributes do beside these. */
  readonly what: "added" | "removed" | "content" | "mode" | "attributes" | "kind";
}

/** What became of each path from one hash of a context to another, in the order of the walk. */
export function* compareContexts(
  before: ContextFiles,
  after: ContextFiles,
): Iterable<ContextChange> {
  const [old, fresh] = [before[Symbol.iterator](), after[Symbol.iterator]()];
  let [then, now] = [take(old), take(fresh)];
  while (then !== undefined || now !== undefined) {
    const order = compareHeads(then, now);
    if (order < 0 && then !== undefined) yield { path: then[0], what: "removed" };
    if (order > 0 && now !== undefined) yield { path: now[0], what: "added" };
    if (order === 0 && then !== undefined && now !== undefined && then[1] !== now[1])
      yield { path: now[0], what: classify(then[1], now[1]) };
    if (order <= 0) then = take(old);
    if (order >= 0) now = take(fresh);
  }
}

type File = readonly [path: string, description: string];

function take(files: Iterator<File>): File | undefined {
  const next = files.next();
  return next.done === true ? undefined : next.value;
}

/** What is at its end comes last. */
function compareHeads(then: File | undefined, now: File | undefined): number {
  if (then === undefined) return 1;
  return now === undefined ? -1 : compareWalk(then[0], now[0]);
}

function classify(then: string, now: string): ContextChange["what"] {
  const [kindThen, , contentThen] = split(then);
  const [kindNow, , contentNow] = split(now);
  if (kindThen !== kindNow) return "kind";
  if (contentThen === contentNow) return "mode";
  return kindNow === "link" || contentThen.split(" ")[0] !== contentNow.split(" ")[0]
    ? "content"
    : "attributes";
}

function split(description: string): readonly [string, string, string] {
  const [kind = "", mode = "", ...content] = description.split(" ");
  return [kind, mode, content.join(" ")];
}
