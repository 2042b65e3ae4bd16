import { addStage, baseName, imageName, putFile } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editImage, file, putNode } from "./world.ts";

const outputFrom = tableRead(
  "OUTPUT --from an image",
  ["a file", "a variable", "an image of the same"],
  (slot) => {
    const { draft, id } = slot;
    const name = imageName(slot);
    draft.directories[id] = { [`below/${id}`]: file("one\n") };
    draft.images[name] = { text: "FROM scratch\nCOPY . /\nENV BELOW=one\n", directory: id };
    draft.outputFlags.push(`--from=${name}`);
    return {
      "a file": { effect: "telling", apply: putNode(id, `below/${id}`, file("two\n")) },
      "a variable": { effect: "open", apply: editImage(name, "BELOW=one", "BELOW=two") },
      "an image of the same": {
        effect: "open",
        apply: editImage(name, "BELOW=one", "BELOW=one\nLABEL more=1"),
      },
    };
  },
);

const outputFromStage = tableRead("OUTPUT --from a stage", ["a file", "a mounted file"], (slot) => {
  const { draft, id } = slot;
  const stage = addStage(
    { ...slot, stage: draft.stages.at(-1) ?? slot.stage },
    `of-${id}`,
    baseName(draft),
  );
  putFile(draft, "context", { [`${id}/v`]: file("one\n"), [`${id}/m`]: file("one\n") });
  stage.lines.push(`COPY ${id}/v /below/${id}`);
  stage.lines.push(`RUN --mount=type=bind,source=${id}/m,target=/m cp /m /below/${id}-m`);
  draft.outputFlags.push(`--from=${stage.name}`);
  return {
    "a file": { effect: "telling", apply: putNode("context", `${id}/v`, file("two\n")) },
    "a mounted file": { effect: "telling", apply: putNode("context", `${id}/m`, file("two\n")) },
  };
});

const renamed = tableRead(
  "an image that a named context stands for",
  ["a file", "another image"],
  (slot) => {
    const { draft, id, stage, lines, told } = slot;
    const names = [imageName(slot), imageName({ ...slot, id: `${id}-other` })] as const;
    for (const [at, name] of names.entries()) {
      draft.directories[`${id}-${at}`] = { "etc/told-base": file(`renamed ${at}\n`) };
      draft.images[name] = {
        text: `FROM ${baseName(draft)}\nCOPY . /\n`,
        directory: `${id}-${at}`,
      };
    }
    stage.from = `base-${id}`;
    const flag = `--build-context=base-${id}=docker-image://${names[0]}`;
    draft.flags.push(flag);
    lines.push(`RUN cp /etc/told-base ${told}`);
    return {
      "a file": {
        effect: "telling",
        apply: putNode(`${id}-0`, "etc/told-base", file("two\n")),
      },
      "another image": {
        effect: "telling",
        apply: editFlag(flag, `--build-context=base-${id}=docker-image://${names[1]}`),
      },
    };
  },
  { needsBase: true },
);

/** Images that are not the base: what a result takes from them. */
export const imageReads: readonly Read[] = [outputFrom, outputFromStage, renamed];
