import { type Form, makeTree, placePath, type SourceChange } from "./forms.ts";
import { file, link, putNode, type Change, type Node } from "./world.ts";

/** What of a read can change: the form that it has, where it is, and the name of its own directory. */
interface ReadForm {
  readonly form: Form;
  readonly directory: string;
  readonly id: string;
}

/** One thing of what is read becomes another. */
export function createChange({ form, directory, id }: ReadForm, change: SourceChange): Change {
  const old = makeTree(id)[placePath(id, form.subject)];
  if (old?.kind !== "file") throw new RangeError(`${form.subject} is no file`);
  if (change === "beside") {
    return { effect: "harmless", apply: putNode(directory, `${id}-beside`, file("besides\n")) };
  }
  const { path, node, effect = "telling" } = describeChanges(form, old)[change];
  return {
    effect: form.isOpen === true ? "open" : effect,
    keepsTimes: change === "content, unseen",
    apply: putNode(directory, placePath(id, path ?? ""), node),
  };
}

/** What stands where afterwards. */
interface NodeChange {
  readonly path: string | undefined;
  readonly node: Node | undefined;
  /** Where it is not telling. */
  readonly effect?: "open";
}

function describeChanges(
  form: Form,
  old: Node & { readonly kind: "file" },
): Readonly<Record<Exclude<SourceChange, "beside">, NodeChange>> {
  const { subject, added, removed } = form;
  const [linkPath, linkTarget = ""] = form.link ?? [];
  return {
    content: { path: subject, node: { ...old, text: `${old.text}and more\n` } },
    "content, unseen": { path: subject, node: { ...old, text: old.text.toUpperCase() } },
    mode: { path: subject, node: { ...old, mode: 0o755 } },
    capability: { path: subject, node: { ...old, capability: "cap_net_raw+ep" }, effect: "open" },
    link: { path: linkPath, node: link(linkTarget) },
    added: { path: added, node: file("new\n") },
    "added directory": { path: added, node: { kind: "directory", mode: 0o755 }, effect: "open" },
    "another kind": { path: subject, node: link("w"), effect: "open" },
    removed: { path: removed, node: undefined },
    "directory mode": { path: form.directory, node: { kind: "directory", mode: 0o700 } },
  };
}
