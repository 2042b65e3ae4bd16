import { type Form, makeTree, placePath, type SourceChange } from "./forms.ts";
import { file, link, putNode, type Change } from "./world.ts";

/** What of a read can change: the form that it has, where it is, and the name of its own directory. */
interface ReadForm {
  readonly form: Form;
  readonly directory: string;
  readonly id: string;
}

/** One thing of what is read becomes another. */
export function createChange({ form, directory, id }: ReadForm, change: SourceChange): Change {
  const put = (path: string, node: Parameters<typeof putNode>[2]): Change["apply"] =>
    putNode(directory, placePath(id, path), node);
  const old = makeTree(id)[placePath(id, form.subject)];
  if (old?.kind !== "file") throw new RangeError(`${form.subject} is no file`);
  const effect = form.isOpen === true ? "open" : "telling";
  switch (change) {
    case "content":
      return { effect, apply: put(form.subject, { ...old, text: `${old.text}and more\n` }) };
    case "content, unseen": {
      const text = old.text.toUpperCase();
      return { effect, keepsTimes: true, apply: put(form.subject, { ...old, text }) };
    }
    case "mode":
      return { effect, apply: put(form.subject, { ...old, mode: 0o755 }) };
    case "capability":
      return { effect: "open", apply: put(form.subject, { ...old, capability: "cap_net_raw+ep" }) };
    case "link": {
      const [path, to] = form.link ?? ["", ""];
      return { effect, apply: put(path, link(to)) };
    }
    case "added":
      return { effect, apply: put(form.added ?? "", file("new\n")) };
    case "added directory":
      return { effect: "open", apply: put(form.added ?? "", { kind: "directory", mode: 0o755 }) };
    case "another kind":
      return { effect: "open", apply: put(form.subject, link("w")) };
    case "removed":
      return { effect, apply: put(form.removed ?? "", undefined) };
    case "directory mode":
      return { effect, apply: put(form.directory ?? "", { kind: "directory", mode: 0o700 }) };
    case "beside":
      return {
        effect: "harmless",
        apply: putNode(directory, `${id}-beside`, file("besides\n")),
      };
  }
}
