import type { ContextHash } from "./hash.ts";

export interface ContextChange {
  readonly path: string;
  /** `mode` where nothing but the permission bits differ, `attributes` where extended attributes do beside these. */
  readonly what: "added" | "removed" | "content" | "mode" | "attributes" | "kind";
}

type Files = ContextHash["files"];

/** What became of each path from one hash of a context to another, in the order of the paths. */
export function compareContexts(before: Files, after: Files): readonly ContextChange[] {
  const changes: ContextChange[] = [];
  for (const [path, now] of after) {
    const then = before.get(path);
    if (then === undefined) changes.push({ path, what: "added" });
    else if (then !== now) changes.push({ path, what: classify(then, now) });
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ path, what: "removed" });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
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
