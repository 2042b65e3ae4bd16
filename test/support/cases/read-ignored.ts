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

const ignoring = tableRead("the ignore file", ignoreChanges, (slot) => {
  const { id, draft, lines, told } = slot;
  const name = addPattern(slot, `${id}/ignored*`);
  putFile(draft, "context", {
    [`${id}/v`]: file("one\n"),
    [`${id}/ignored`]: file("ignored\n"),
    [`${id}/other`]: file("other\n"),
  });
  lines.push(`COPY ${id} ${told}/`);
  const edit =
    (change: (text: string) => string): Change["apply"] =>
    (world) => {
      const node = world.directories["context"]?.[name];
      const text = node?.kind === "file" ? node.text : "";
      return putNode("context", name, file(change(text)))(world);
    };
  return {
    "an ignored file": {
      effect: draft.readsWhole ? "open" : "harmless",
      apply: putNode("context", `${id}/ignored`, file("still ignored\n")),
    },
    "one more pattern": { effect: "telling", apply: edit((text) => `${text}${id}/other\n`) },
    "one pattern less": { effect: "telling", apply: edit((text) => `${text}!${id}/ignored\n`) },
    "a comment": {
      effect: draft.readsWhole ? "open" : "harmless",
      apply: edit((text) => `# it\n${text}`),
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

/** What the ignore file leaves out. */
export const ignoredReads: readonly Read[] = [ignoring, mountedIgnored, otherIgnoreFile];
