import { addStage, baseName, imageName, pick, putFile, type Slot } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editImage, editText, file, putNode, type Change } from "./world.ts";

/** Variables and triggers of an image, what the stage on it reads with the former, and what the latter read. */
function writeTriggers({ id, told, draft, lines }: Slot): readonly string[] {
  putFile(draft, "context", {
    [`${id}/v`]: file("one\n"),
    [`${id}/d/v`]: file("below\n"),
    [`${id}/e`]: file("of a variable\n"),
    [`${id}/f`]: file("of a trigger's variable\n"),
    [`${id}-beside`]: file("beside\n"),
  });
  const flag = `--build-arg=O_${id}=one`;
  draft.flags.push(flag);
  draft.isVague = true;
  lines.push(`COPY $UP_${id}/e $ON_${id}/f ${told}-named/`);
  return [
    `ENV UP_${id}=${id}`,
    `ONBUILD ENV ON_${id}=${id}`,
    `ONBUILD ${pick(draft.chance, ["COPY", "ADD"])} ${id}/v ${told}-copy`,
    `ONBUILD RUN --mount=type=bind,source=${id}/d,target=/m-${id} tell /m-${id} ${told}-mount`,
    `ONBUILD ARG O_${id}`,
    `ONBUILD RUN echo first-${id} "$O_${id}" > ${told}-run`,
  ];
}

const triggerChanges = [
  "the file that it copies",
  "the file that it copies, unseen",
  "the file that it mounts",
  "the argument that it declares",
  "a file that a variable of it names",
  "a file that a variable of its trigger names",
  "a file beside",
] as const;

function changeSources({ id }: Slot): Readonly<Record<(typeof triggerChanges)[number], Change>> {
  return {
    "the file that it copies": { effect: "telling", apply: putText(`${id}/v`, "another\n") },
    "the file that it copies, unseen": {
      effect: "telling",
      keepsTimes: true,
      apply: putText(`${id}/v`, "two\n"),
    },
    "the file that it mounts": { effect: "telling", apply: putText(`${id}/d/v`, "other\n") },
    "the argument that it declares": {
      effect: "telling",
      apply: editFlag(`--build-arg=O_${id}=one`, `--build-arg=O_${id}=two`),
    },
    "a file that a variable of it names": {
      effect: "telling",
      apply: putText(`${id}/e`, "another\n"),
    },
    "a file that a variable of its trigger names": {
      effect: "telling",
      apply: putText(`${id}/f`, "another\n"),
    },
    "a file beside": { effect: "harmless", apply: putText(`${id}-beside`, "besides\n") },
  };
}

function putText(path: string, text: string): Change["apply"] {
  return putNode("context", path, file(text));
}

const baseTriggers = tableRead(
  "ONBUILD of an image",
  [...triggerChanges, "its text"],
  (slot) => {
    const { draft, id, stage } = slot;
    const name = imageName(slot);
    draft.directories[id] = {};
    const text = [`FROM ${baseName(draft)}`, ...writeTriggers(slot), ""].join("\n");
    draft.images[name] = { text, directory: id };
    stage.from = name;
    return {
      ...changeSources(slot),
      "its text": {
        effect: "telling",
        apply: editImage(name, `echo first-${id}`, `echo second-${id}`),
      },
    };
  },
  { needsBase: true },
);

const stageTriggers = tableRead(
  "ONBUILD of a stage",
  [...triggerChanges, "its text"],
  (slot) => {
    const { draft, id, stage } = slot;
    const triggering = addStage(slot, `on-${id}`, baseName(draft));
    triggering.lines.push(...writeTriggers(slot));
    stage.from = triggering.name;
    return {
      ...changeSources(slot),
      "its text": {
        effect: "telling",
        apply: editText(`echo first-${id}`, `echo second-${id}`),
      },
    };
  },
  { needsBase: true },
);

/** What ONBUILD fires. */
export const triggerReads: readonly Read[] = [baseTriggers, stageTriggers];
