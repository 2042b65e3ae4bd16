import { addStage, baseName } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editText, file } from "./world.ts";

const environment = tableRead("ENV", ["its value", "its place"], ({ id, lines, told }) => {
  lines.push(`ENV V_${id}=one`, `RUN echo "$V_${id}" > ${told}`);
  return {
    "its value": { effect: "telling", apply: editText(`V_${id}=one`, `V_${id}=two`) },
    "its place": {
      effect: "telling",
      apply: editText(
        `ENV V_${id}=one\nRUN echo "$V_${id}" > ${told}`,
        `RUN echo "$V_${id}" > ${told}\nENV V_${id}=one`,
      ),
    },
  };
});

const workdir = tableRead("WORKDIR", ["its text", "its variable"], ({ id, lines, told, draft }) => {
  const flag = `--build-arg=W_${id}=one`;
  draft.flags.push(flag);
  lines.push(`ARG W_${id}`, `WORKDIR ${told}/here-$W_${id}`, "RUN pwd > pwd", "WORKDIR /");
  return {
    "its text": { effect: "telling", apply: editText(`${told}/here`, `${told}/there`) },
    "its variable": { effect: "telling", apply: editFlag(flag, `--build-arg=W_${id}=two`) },
  };
});

const shell = tableRead("SHELL", ["its text", "its options"], ({ lines, told }) => {
  lines.push(`SHELL ["/bin/shell-one", "-c"]`, `RUN echo "$SHELL_NAME" > ${told}`);
  lines.push(`SHELL ["/bin/sh", "-c"]`);
  return {
    "its text": {
      effect: "telling",
      apply: editText(
        `"/bin/shell-one", "-c"]\nRUN echo "$SHELL_NAME" > ${told}`,
        `"/bin/shell-two", "-c"]\nRUN echo "$SHELL_NAME" > ${told}`,
      ),
    },
    "its options": {
      effect: "harmless",
      apply: editText(`"/bin/shell-one", "-c"]`, `"/bin/shell-one", "-ec"]`),
    },
  };
});

const user = tableRead("USER", ["its text", "its variable"], ({ id, lines, told, draft }) => {
  const flag = `--build-arg=U_${id}=1000`;
  draft.flags.push(flag);
  lines.push(`ARG U_${id}`, `USER $U_${id}:1000`, `RUN id -u > ${told}`, "USER 0");
  return {
    "its text": { effect: "telling", apply: editText(`$U_${id}:1000`, `$U_${id}:1001`) },
    "its variable": { effect: "telling", apply: editFlag(flag, `--build-arg=U_${id}=1002`) },
  };
});

const text = tableRead(
  "RUN",
  ["its text", "a comment", "its lines", "its mount is another's"],
  ({ id, lines, told, draft }) => {
    draft.directories["context"] = {
      ...draft.directories["context"],
      [`${id}/v`]: file("one\n"),
      [`${id}/w`]: file("two\n"),
    };
    const command = `RUN --mount=type=bind,source=${id}/v,target=/m-${id} echo one-${id} | cat - /m-${id} > ${told}`;
    lines.push(command);
    return {
      "its text": { effect: "telling", apply: editText(`echo one-${id}`, `echo two-${id}`) },
      "a comment": {
        effect: draft.isInside ? "open" : "harmless",
        apply: editText(command, `# about it\n${command}`),
      },
      "its lines": {
        effect: "open",
        apply: editText(`echo one-${id} | cat`, `echo one-${id} | \\\n cat`),
      },
      "its mount is another's": {
        effect: "telling",
        apply: editText(`source=${id}/v,`, `source=${id}/w,`),
      },
    };
  },
);

const heredoc = tableRead("a heredoc", ["its text", "its text in COPY"], ({ lines, told }) => {
  lines.push(
    `RUN <<EOF\necho one > ${told}-run\nEOF`,
    `COPY <<EOF ${told}-copy\nfirst ${told}\nEOF`,
  );
  return {
    "its text": {
      effect: "telling",
      apply: editText(`echo one > ${told}`, `echo two > ${told}`),
    },
    "its text in COPY": {
      effect: "telling",
      apply: editText(`\nfirst ${told}\n`, `\nsecond ${told}\n`),
    },
  };
});

/** buildah 1.28 mounts the base of a stage of which all comes from its cache. */
const behind = tableRead("a mount of an unchanged stage", ["the step before it"], (slot) => {
  const { id, lines, told, draft } = slot;
  const mounted = addStage(slot, `same-${id}`, baseName(draft));
  mounted.lines.push(`RUN echo same > /told/${id}-same`);
  lines.push(`RUN echo first-${id} > ${told}`);
  lines.push(
    `RUN --mount=type=bind,from=${mounted.name},target=/m-${id} tell /m-${id}/told ${told}-told`,
  );
  const apply = editText(`echo first-${id}`, `echo second-${id}`);
  return { "the step before it": { effect: "telling", apply } };
});

/** What the instructions themselves say. */
export const stepReads: readonly Read[] = [
  environment,
  workdir,
  shell,
  user,
  text,
  heredoc,
  behind,
];
