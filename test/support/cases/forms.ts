import { pick } from "./draft.ts";
import { file, link, type Tree } from "./world.ts";

/** How files are read. */
export type Way = "COPY" | "ADD" | "mount";
/** Where they are. */
export type Origin = "context" | "named context" | "image" | "stage";

export type SourceChange =
  | "content"
  | "content, unseen"
  | "mode"
  | "capability"
  | "link"
  | "added"
  | "another kind"
  | "added directory"
  | "removed"
  | "directory mode"
  | "beside";

/** How the sources are written, and what they stand for; paths are below the read's own directory. */
export interface Form {
  readonly sources: readonly string[];
  /** A file that is read. */
  readonly subject: string;
  /** What can come, and what can go. */
  readonly added?: string;
  readonly removed?: string;
  readonly directory?: string;
  readonly link?: readonly [path: string, to: string];
  /** Whether it is for the engine to say if it follows a link. */
  readonly isOpen?: boolean;
  /** Whether it reads something that is not below its own directory. */
  readonly needsOutside?: boolean;
  readonly ways: readonly Way[];
}

const every: readonly Way[] = ["COPY", "ADD", "mount"];
const copies: readonly Way[] = ["COPY", "ADD"];

/** Stands for a file beside the read's own directory. */
const outside = "../outside";

const forms = {
  file: { sources: ["v"], subject: "v", ways: every },
  directory: {
    sources: ["d"],
    subject: "d/v",
    added: "d/new",
    removed: "d/sub/w",
    directory: "d/sub",
    link: ["d/link", "sub/w"],
    ways: every,
  },
  root: {
    sources: [""],
    subject: "v",
    added: "d/new",
    removed: "d/sub/w",
    directory: "d/sub",
    link: ["d/link", "sub/w"],
    ways: every,
  },
  glob: { sources: ["v*"], subject: "v", added: "v-new", removed: "v-more", ways: copies },
  "glob of a class": { sources: ["[u-v]-m?re"], subject: "v-more", added: "u-more", ways: copies },
  "glob of directories": {
    sources: ["*/sub"],
    subject: "d/sub/w",
    added: "d/sub/new",
    removed: "d/sub/x",
    ways: copies,
  },
  several: { sources: ["v", "w"], subject: "w", ways: copies },
  link: { sources: ["link"], subject: "v", link: ["link", "w"], isOpen: true, ways: every },
  "through a link": {
    sources: ["to/v"],
    subject: "d/v",
    link: ["to", "e"],
    isOpen: true,
    ways: every,
  },
  "link to a directory": {
    sources: ["to"],
    subject: "d/v",
    link: ["to", "e"],
    isOpen: true,
    ways: every,
  },
  "link that leads out": {
    sources: ["out"],
    subject: outside,
    link: ["out", "w"],
    isOpen: true,
    needsOutside: true,
    ways: every,
  },
  "glob of a link that leads out": {
    sources: ["ou*"],
    subject: outside,
    link: ["out", "w"],
    isOpen: true,
    needsOutside: true,
    ways: copies,
  },
  "a way about": { sources: ["d/../v"], subject: "v", ways: copies },
} as const satisfies Readonly<Record<string, Form>>;

/** What a read has to read: below a directory of its name. */
export function makeTree(id: string): Tree {
  const nodes: Tree = {
    v: file(`${id} one\n`),
    w: file("another\n", 0o640),
    "v-more": file("more\n"),
    "d/v": file("below\n"),
    "d/sub/w": file("deep\n", 0o600),
    "d/sub/x": file("deeper\n"),
    "d/link": link("v"),
    "e/v": file("elsewhere\n"),
    link: link("v"),
    to: link("d"),
    out: link(`../outside-${id}`),
    [outside]: file("out of it\n"),
  };
  return Object.fromEntries(
    Object.entries(nodes).map(([path, node]) => [placePath(id, path), node]),
  );
}

/** The path below the directory of all reads. */
export function placePath(id: string, path: string): string {
  return path === outside ? `outside-${id}` : `${id}/${path}`;
}

/** One that is for this way, and in which this can change. */
export function pickForm(
  chance: () => number,
  { way, origin }: { readonly way: Way; readonly origin: Origin },
  change: SourceChange,
): Form {
  const able = Object.values<Form>(forms)
    .filter((form) => form.ways.includes(way))
    .filter((form) => origin !== "stage" || form.needsOutside !== true)
    .filter((form) => canChange(form, change));
  return pick(chance, able);
}

function canChange(form: Form, change: SourceChange): boolean {
  if (change === "added" || change === "added directory") return form.added !== undefined;
  if (change === "removed") return form.removed !== undefined;
  if (change === "directory mode") return form.directory !== undefined;
  if (change === "another kind") return form.needsOutside !== true;
  return change === "link" ? form.link !== undefined : true;
}
