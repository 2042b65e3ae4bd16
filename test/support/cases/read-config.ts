import { baseName } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editImage, editText, file, putNode } from "./world.ts";

const metadata = tableRead(
  "the image's config",
  ["a label", "a label's variable", "a flag's label", "an annotation", "a command"],
  ({ id, draft }) => {
    const flag = `--build-arg=L_${id}=one`;
    draft.flags.push(flag, `--label=flag-${id}=one`, `--annotation=org.example.${id}=one`);
    draft.afterOutput.push(
      `ARG L_${id}`,
      `LABEL ${id}=one variable-${id}=$L_${id}`,
      `CMD ["one-${id}"]`,
    );
    return {
      "a label": { effect: "telling", apply: editText(`LABEL ${id}=one`, `LABEL ${id}=two`) },
      "a label's variable": { effect: "telling", apply: editFlag(flag, `--build-arg=L_${id}=two`) },
      "a flag's label": {
        effect: "telling",
        apply: editFlag(`--label=flag-${id}=one`, `--label=flag-${id}=2`),
      },
      "an annotation": {
        effect: "telling",
        apply: editFlag(`--annotation=org.example.${id}=one`, `--annotation=org.example.${id}=2`),
      },
      "a command": { effect: "telling", apply: editText(`CMD ["one-${id}"]`, `CMD ["two-${id}"]`) },
    };
  },
);

const base = tableRead(
  "the base image",
  ["a file", "a variable", "a label", "a file of its volume", "another image of the same"],
  ({ id, lines, told, draft }) => {
    const name = baseName(draft);
    lines.push(`RUN cp /etc/told-base ${told}-file && echo "$BASE" > ${told}-env`);
    lines.push(`RUN tell /volume ${told}-volume`);
    if (draft.outputFlags.length === 0) draft.outputFlags.push("--inherit-config");
    return {
      "a file": { effect: "telling", apply: putNode("base", "etc/told-base", file("two\n")) },
      "a variable": { effect: "telling", apply: editImage(name, "BASE=one", "BASE=two") },
      "a label": { effect: "open", apply: editImage(name, "base=one", "base=two") },
      "a file of its volume": {
        effect: "telling",
        apply: putNode("base", "volume/v", file("two\n")),
      },
      "another image of the same": {
        effect: "open",
        apply: editImage(name, "base=one", `base=one\nLABEL more-${id}=1`),
      },
    };
  },
);

/** What the image's config says, and where it comes from. */
export const configReads: readonly Read[] = [metadata, base];
