import { putFile, type Slot } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, editText, putNode, type Change } from "./world.ts";

/** A flag that a step can see the value of. */
interface SeenFlag {
  readonly from: string;
  readonly to: string;
  readonly command: string;
  readonly effect: Change["effect"];
}

/** Each changes, goes or comes. */
function flagRead(name: string, make: (slot: Slot) => SeenFlag): Read {
  return tableRead(name, ["another value", "taken away"], (slot) => {
    const { from, to, command, effect } = make(slot);
    const { draft, lines, told } = slot;
    draft.flags.push(from);
    lines.push(`RUN ${command} > ${told} || true`);
    return {
      "another value": { effect, apply: editFlag(from, to) },
      "taken away": { effect, apply: editFlag(from, undefined) },
    };
  });
}

const flags: readonly Read[] = [
  flagRead("--add-host", ({ id }) => ({
    from: `--add-host=${id}:192.0.2.1`,
    to: `--add-host=${id}:192.0.2.2`,
    command: `grep ${id} /etc/hosts`,
    effect: "telling",
  })),
  flagRead("--ulimit", () => ({
    from: "--ulimit=nofile=500:500",
    to: "--ulimit=nofile=400:400",
    command: "ulimit -n",
    effect: "telling",
  })),
  flagRead("--cap-drop", () => ({
    from: "--cap-drop=CAP_KILL",
    to: "--cap-drop=CAP_SETFCAP",
    command: "grep Cap /proc/self/status",
    effect: "telling",
  })),
  flagRead("--shm-size", () => ({
    from: "--shm-size=1m",
    to: "--shm-size=2m",
    command: "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2",
    effect: "open",
  })),
  flagRead("--dns", () => ({
    from: "--dns=192.0.2.1",
    to: "--dns=192.0.2.2",
    command: "cat /etc/resolv.conf",
    effect: "open",
  })),
];

const platform = tableRead("the platform", ["given"], ({ id, lines, told }) => {
  lines.push(`ARG TARGETPLATFORM`, `RUN echo "$TARGETPLATFORM ${id}" > ${told}`);
  return { given: { effect: "open", apply: editFlag(undefined, "--platform=linux/amd64") } };
});

const epoch = tableRead(
  "--timestamp",
  ["another value", "taken away"],
  ({ stage, lines, told, draft }) => {
    const flag =
      draft.flags.find((one) => one.startsWith("--timestamp=")) ?? "--timestamp=1000000000";
    if (!draft.flags.includes(flag)) draft.flags.push(flag);
    lines.push("ARG SOURCE_DATE_EPOCH", `RUN echo "$SOURCE_DATE_EPOCH" > ${told}`);
    // An instruction that does not know the time, though its layer does.
    stage.lines.unshift(`COPY lone ${told}-lone/`);
    return {
      "another value": { effect: "telling", apply: editFlag(flag, "--timestamp=1000000001") },
      "taken away": { effect: "open", apply: editFlag(flag, undefined) },
    };
  },
);

const archive = tableRead("ADD of an archive", ["a member"], ({ id, draft, lines, told }) => {
  putFile(draft, "context", { [`${id}/a.tar`]: { kind: "archive", members: { a: "one\n" } } });
  lines.push(`ADD ${id}/a.tar ${told}/`);
  const node = { kind: "archive", members: { a: "two\n" } } as const;
  return { "a member": { effect: "telling", apply: putNode("context", `${id}/a.tar`, node) } };
});

const target = tableRead("an unused stage", ["its text"], ({ id, draft }) => {
  draft.trailing.push(
    `FROM localhost/case-${draft.number} AS unused-${id}`,
    `RUN echo unused ${id}`,
  );
  draft.flags.push("--target=final");
  return {
    "its text": {
      effect: draft.isInside ? "open" : "harmless",
      apply: editText(`echo unused ${id}`, `echo not used ${id}`),
    },
  };
});

export const flagReads: readonly Read[] = [...flags, platform, epoch, archive, target];
