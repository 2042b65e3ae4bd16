import { baseName, pick } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editText, file, putNode } from "./world.ts";

const argument = tableRead("an argument", ["its value", "its default", "not given"], (slot) => {
  const { id, lines, told, draft } = slot;
  const name = `A_${id}`;
  lines.push(`ARG ${name}=default`);
  lines.push(
    pick(draft.chance, [
      `RUN echo "$${name}" > ${told}`,
      `ENV B_${id}=$${name}\nRUN echo "$B_${id}" > ${told}`,
      `RUN env | grep ${name} > ${told}`,
    ]),
  );
  const flag = `--build-arg=${name}=one`;
  draft.flags.push(flag);
  return {
    "its value": { effect: "telling", apply: editFlag(flag, `--build-arg=${name}=two`) },
    "its default": { effect: "harmless", apply: editText(`${name}=default`, `${name}=other`) },
    "not given": { effect: "telling", apply: editFlag(flag, undefined) },
  };
});

const fromEnvironment = tableRead(
  "an argument of the environment",
  ["its value", "nothing declares it"],
  ({ id, lines, told, draft }) => {
    const name = `E_${id}`;
    lines.push(`ARG ${name}`, `RUN echo "$${name}" > ${told}`);
    draft.flags.push(`--build-arg=${name}`);
    draft.environment[name] = "one";
    return {
      "its value": {
        effect: "telling",
        apply: (world) => ({ ...world, environment: { ...world.environment, [name]: "two" } }),
      },
      "nothing declares it": { effect: "harmless", apply: editFlag(undefined, "--build-arg=NO=1") },
    };
  },
);

const argumentFile = tableRead(
  "a file of arguments",
  ["its value"],
  ({ id, lines, told, draft }) => {
    const name = `F_${id}`;
    lines.push(`ARG ${name}`, `RUN echo "$${name}" > ${told}`);
    draft.flags.push(`--build-arg-file=@${id}@/arguments`);
    draft.directories[id] = { arguments: file(`${name}=one\n`) };
    return {
      "its value": { effect: "telling", apply: putNode(id, "arguments", file(`${name}=two\n`)) },
    };
  },
);

const globalArgument = tableRead(
  "an argument of FROM",
  ["its value", "its default"],
  (slot) => {
    const { id, lines, told, stage, draft } = slot;
    const other = `localhost/case-${draft.number}-${id}:latest`;
    draft.images[other] = { text: `FROM ${baseName(draft)}\nCOPY . /\n`, directory: id };
    draft.directories[id] = { "etc/told-base": file("of the other\n") };
    const isGiven = draft.chance() < 0.5;
    const flag = `--build-arg=G_${id}=${baseName(draft)}`;
    if (isGiven) draft.flags.push(flag);
    draft.preamble.push(`ARG G_${id}=${isGiven ? "localhost/none" : baseName(draft)}`);
    stage.from = `\${G_${id}}`;
    lines.push(`RUN cp /etc/told-base ${told}`);
    const toValue = `--build-arg=G_${id}=${other}`;
    return {
      "its value": { effect: "telling", apply: editFlag(isGiven ? flag : undefined, toValue) },
      "its default": isGiven
        ? { effect: "harmless", apply: editText("localhost/none", "localhost/nothing") }
        : { effect: "telling", apply: editText(`G_${id}=${baseName(draft)}`, `G_${id}=${other}`) },
    };
  },
  { needsBase: true },
);

/** What build arguments say. */
export const argumentReads: readonly Read[] = [
  argument,
  fromEnvironment,
  argumentFile,
  globalArgument,
];
