import { pick, putFile, type Slot } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, file, putNode, type Change } from "./world.ts";

/** The file that says what is left out. */
const ignoreChanges = [
  "an ignored file",
  "one more pattern",
  "one pattern less",
  "a comment",
] as const;

/** One more line of the ignore file that the context has. @returns its name */
function addPattern({ draft }: Slot, pattern: string): string {
  const context = draft.directories["context"] ?? {};
  const names = [".containerignore", ".dockerignore"];
  const name = names.find((one) => context[one] !== undefined) ?? pick(draft.chance, names);
  const old = context[name];
  const text = `${old?.kind === "file" ? old.text : ""}${pattern}\n`;
  putFile(draft, "context", { [name]: file(text) });
  return name;
}

/** What a file of the context says is changed. */
function editNode(path: string, change: (text: string) => string): Change["apply"] {
  return (world) => {
    const node = world.directories["context"]?.[path];
    if (node?.kind !== "file") throw new RangeError(`no file ${path}`);
    return putNode("context", path, file(change(node.text)))(world);
  };
}

function addLine(line: string): (text: string) => string {
  return (text) => `${text}${line}\n`;
}

const ignoring = tableRead("the ignore file", ignoreChanges, (slot) => {
  const { id, draft, lines, told } = slot;
  const name = addPattern(slot, `${id}/ignored*`);
  putFile(draft, "context", {
    [`${id}/v`]: file("one\n"),
    [`${id}/ignored`]: file("ignored\n"),
    [`${id}/other`]: file("other\n"),
  });
  lines.push(`COPY ${id} ${told}/`);
  return {
    "an ignored file": {
      effect: draft.readsWhole ? "open" : "harmless",
      apply: putNode("context", `${id}/ignored`, file("still ignored\n")),
    },
    "one more pattern": { effect: "telling", apply: editNode(name, addLine(`${id}/other`)) },
    "one pattern less": { effect: "telling", apply: editNode(name, addLine(`!${id}/ignored`)) },
    "a comment": {
      effect: draft.readsWhole ? "open" : "harmless",
      apply: editNode(name, (text) => `# it\n${text}`),
    },
  };
});

const mountedIgnored = tableRead("an ignored file that is mounted", ["content"], (slot) => {
  const { id, draft, lines, told } = slot;
  addPattern(slot, `${id}/v`);
  putFile(draft, "context", { [`${id}/v`]: file("one\n"), [`${id}/w`]: file("one\n") });
  lines.push(`RUN --mount=type=bind,source=${id},target=/m-${id} tell /m-${id} ${told}`);
  return { content: { effect: "open", apply: putNode("context", `${id}/v`, file("another\n")) } };
});

const otherIgnoreFile = tableRead("--ignorefile", ["its text", "another"], (slot) => {
  const { id, draft, lines, told } = slot;
  putFile(draft, "context", { [`${id}/v`]: file("one\n"), [`${id}/w`]: file("two\n") });
  draft.directories[id] = { one: file(`${id}/v\n`), two: file(`${id}/w\n`) };
  const flag = `--ignorefile=@${id}@/one`;
  if (draft.flags.every((one) => !one.startsWith("--ignorefile"))) draft.flags.push(flag);
  lines.push(`COPY ${id} ${told}/`);
  return {
    "its text": { effect: "open", apply: putNode(id, "one", file(`${id}/w\n`)) },
    another: { effect: "open", apply: editFlag(flag, `--ignorefile=@${id}@/two`) },
  };
});

/** The context's ignore file may be asked for files of other places, too. */
const elsewhereIgnored = tableRead("the ignore file, elsewhere", ["one more pattern"], (slot) => {
  const { id, draft, lines, told } = slot;
  const name = addPattern(slot, `${id}/nothing`);
  draft.directories[id] = { [`${id}/v`]: file("one\n"), [`${id}/w`]: file("two\n") };
  draft.flags.push(`--build-context=${id}=@${id}@`);
  lines.push(`COPY --from=${id} ${id} ${told}/`);
  return { "one more pattern": { effect: "open", apply: editNode(name, addLine(`${id}/v`)) } };
});

/** What the ignore file leaves out. */
export const ignoredReads: readonly Read[] = [
  ignoring,
  mountedIgnored,
  elsewhereIgnored,
  otherIgnoreFile,
];
