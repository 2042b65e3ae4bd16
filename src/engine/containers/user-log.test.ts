import { expect, test, vi } from "vitest";
import { mustPlan } from "../../../test/support/plans.ts";
import { parseContainerfile } from "../../containerfile/containerfile.ts";
import { readHeredocs } from "../../plan/plan.ts";
import { lowerLayering, lowerStage } from "./lower.ts";
import { lowerHeredocs } from "./lower-heredocs.ts";
import { listLayeringSteps, listStageSteps, type SentStages } from "./sent-steps.ts";
import { showUserLog } from "./user-log.ts";

const label = "0123456789abcdef";
const environment = `localhost/xbuild-run-${label}:latest`;
const base = `localhost/xbuild-run-${label}-base0:latest`;
const ownImage = `localhost/xbuild-config-${label}:latest`;
const stageId = "d20744c3bc840cc7044372398f3ab07d762125536a73592b1b7207cf5abd41e0";

const plan = mustPlan(
  [
    "ARG B=base",
    "FROM base AS tools",
    "RUN echo \\",
    "  # why not",
    "  tools",
    "FROM base",
    "ENV A=1",
    "COPY --from=tools /a /b",
    "ARG V=1",
    "OUTPUT /layers",
    "COPY --from=tools /tools /t",
    "RUN write café",
    'CMD ["sh"]',
  ].join("\n"),
);
const { target } = plan;

const names = {
  pinned: new Map([["base", base]]),
  mounted: new Map<string, string>(),
  stages: new Map([[0, stageId]]),
  digests: new Map([[target.resolved.stage.instructions[1] ?? target.output.instruction, "f00d"]]),
  heredocs: new Map(),
};
const images = {
  environment,
  pinned: new Map<string, string>(),
  stages: new Map([[0, stageId]]),
  variables: new Set<string>(),
  epoch: undefined,
  heredocs: new Map(),
};

/** What the user sees of what the engine writes, in these chunks. */
function show(
  sent: SentStages,
  chunks: readonly (string | Uint8Array)[],
  own?: string,
): { readonly text: string; readonly said: readonly string[]; readonly now: readonly unknown[] } {
  const said: string[] = [];
  const now: unknown[] = [];
  const write = (chunk: Uint8Array): void => void said.push(Buffer.from(chunk).toString("latin1"));
  const log = showUserLog(
    { stdout: write, stderr: write },
    {
      sent,
      ownImage: own,
      restoreNames: (text) => text.replaceAll(base, "base"),
      progress: (told) => now.push(told.now),
    },
  );
  for (const chunk of chunks)
    log.stdout(typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk);
  log.end?.();
  return { text: said.join(""), said, now };
}

const stageSteps = listStageSteps(plan, names);
const layeringSteps = listLayeringSteps(plan, target, images);

/** As an engine does: the instructions of each stage of a file that it is sent. */
function echo(text: string, between = ""): string {
  const stages = parseContainerfile(Buffer.from(text, "latin1"), "sent").stages;
  return stages
    .map(({ from, instructions, index }) => {
      const all = [from, ...instructions];
      return all
        .map(
          (one, at) =>
            `[${index + 1}/${stages.length}] STEP ${at + 1}/${all.length}: ${one.text}\n`,
        )
        .join(between);
    })
    .join("");
}

test("stages and their steps are the user's: what was sent for them is not shown", () => {
  const sent = echo(lowerStage(plan, target, names));
  expect(sent).toContain(base);
  expect(sent).toContain("io.xbuild.inputs=f00d");
  const { text, now } = show(stageSteps, [sent]);
  expect(text).toBe(
    [
      "[1/2] STEP 1/2: FROM base AS tools",
      "[1/2] STEP 2/2: RUN echo   tools",
      "[2/2] STEP 1/8: FROM base",
      "[2/2] STEP 2/8: ENV A=1",
      "[2/2] STEP 3/8: COPY --from=tools /a /b",
      "[2/2] STEP 4/8: ARG V=1",
      "",
    ].join("\n"),
  );
  expect(now.at(-1)).toBe("ARG V=1");
});

test("layering steps go on where OUTPUT stands; the stage that tells of the metadata is not shown", () => {
  const made = [`[2/2] COMMIT ${ownImage}`, `Successfully tagged ${ownImage}`, `--> ${stageId}`];
  const sent = `${echo(lowerLayering(plan, target, images))}${made.join("\n")}\n`;
  const { text, now } = show(layeringSteps, [sent], ownImage);
  expect(text).toBe(
    [
      "[2/2] STEP 5/8: OUTPUT /layers",
      "[2/2] STEP 6/8: COPY --from=tools /tools /t",
      "[2/2] STEP 7/8: RUN write caf\u00c3\u00a9",
      '[2/2] STEP 8/8: CMD ["sh"]',
      "",
    ].join("\n"),
  );
  expect(now).toContain("RUN write café");
});

test("heredocs are the user's, however they are said to the engine", () => {
  const text = [
    "FROM base",
    "RUN <<A\necho 1\n\n# no comment\nA",
    "COPY x <<B <<C /to/\nb\nB\nc\nC",
    "ENV A=1",
    "OUTPUT /layers",
    "RUN --network=none <<D\n#!/bin/sh\nD",
    "CMD x",
  ].join("\n");
  const written = mustPlan(text);
  const steps = readHeredocs(written, () => undefined);
  const heredocs = lowerHeredocs(written.containerfile, steps);
  const sentNames = { ...names, digests: new Map(), heredocs };
  const stage = echo(lowerStage(written, written.target, sentNames));
  expect(stage).toContain("xbuild-heredocs");
  expect(show(listStageSteps(written, sentNames), [stage]).text).toBe(
    ["FROM base", "RUN <<A", "COPY x <<B <<C /to/", "ENV A=1", ""]
      .map((one, at) => (one === "" ? "" : `STEP ${at + 1}/7: ${one}`))
      .join("\n"),
  );
  const sentImages = { ...images, heredocs };
  const layering = echo(lowerLayering(written, written.target, sentImages));
  expect(show(listLayeringSteps(written, written.target, sentImages), [layering]).text).toBe(
    "STEP 5/7: OUTPUT /layers\nSTEP 6/7: RUN --network=none <<D\nSTEP 7/7: CMD x\n",
  );
});

test("of a stage that it built itself the engine says the image; what comes then is found again", () => {
  const written = mustPlan(
    "FROM base AS b\nRUN x\nFROM b AS last\nARG V=2\nRUN y\nOUTPUT /layers\nRUN z",
  );
  const sentNames = { ...names, digests: new Map() };
  const sent = echo(lowerStage(written, written.target, sentNames));
  const said = sent.replace("FROM b AS last", `FROM ${stageId} AS last`);
  expect(said).not.toBe(sent);
  const steps = listStageSteps(written, sentNames);
  const shown = show(steps, [said]).text;
  expect(shown).toBe(show(steps, [sent]).text);
  expect(shown).toContain("[2/2] STEP 1/5: FROM b AS last\n[2/2] STEP 2/5: ARG V=2\n");
  const unknown = sent.replace("FROM b AS last", "FROM something AS else");
  expect(show(steps, [unknown]).text).toContain("[2/2] STEP 3/5: RUN y\n");
  const mark = "[1/2] STEP 2/4: LABEL io.xbuild.shell=b1aa57f70ebf98fd\n";
  expect(show(steps, [mark, said]).text).toBe(shown);
});

test("what steps print comes through byte for byte, whatever it looks like", () => {
  const own = Buffer.from(
    [
      "STEP 1/2: FROM localhost/xbuild-run-foo",
      "[2/2] STEP 3/8: COPY --from=tools /a /b",
      "COMMIT",
      "COMMIT localhost/xbuild-config-foo:latest",
      `--> ${stageId}`,
      "[ok] \u00ff\u001b[31m\r50 %\r100 %",
      "no end",
    ].join("\n"),
    "latin1",
  );
  const first = `[1/2] STEP 1/2: FROM ${base} AS tools\n`;
  const shown = "[1/2] STEP 1/2: FROM base AS tools\n";
  for (const chunks of [[own], [...own].map((byte) => Uint8Array.of(byte))]) {
    const { text } = show(stageSteps, [first, ...chunks]);
    expect(text).toBe(shown + own.toString("latin1"));
  }
});

test("what has no end is not waited for, unless it may be the engine's", () => {
  const { said } = show(stageSteps, ["10 %\r", "20 %\r", "STE", "P by step\n"]);
  expect(said).toEqual(["10 %\r", "20 %\r", "STEP by step\n"]);
});

test("the engine's line behind one of a step that has no end", () => {
  const { text } = show(stageSteps, [`no end[1/2] STEP 1/2: FROM ${base} AS tools\nx`]);
  expect(text).toBe("no end[1/2] STEP 1/2: FROM base AS tools\nx");
  const parts = show(stageSteps, ["no end", `[1/2] STEP 1/2: FROM ${base} AS tools\nx`]);
  expect(parts.text).toBe(text);
});

test("words of writing our image are not shown; a step's own are, and so are all where it failed", () => {
  const copy = "Getting image source signatures\nCopying blob sha256:00\nStoring signatures\n";
  const run = (stdout: string, stderr: string): string => {
    const said: string[] = [];
    const log = showUserLog(
      { stdout: () => undefined, stderr: (bytes) => said.push(Buffer.from(bytes).toString()) },
      { sent: layeringSteps, ownImage, restoreNames: (text) => text.replaceAll(base, "base") },
    );
    log.stdout(Buffer.from(stdout));
    log.stderr(Buffer.from(stderr));
    log.end?.();
    return said.join("");
  };
  const made = `COMMIT ${ownImage}\n`;
  expect(run(made, `no end${copy}`)).toBe("no end");
  expect(run(made, `${copy}its own\n${copy}`)).toBe(`${copy}its own\n`);
  expect(run(made, copy + copy)).toBe(copy);
  expect(run("", copy)).toBe(copy);
  const failed = `Error: building at STEP "COPY --from=${base} /a /b": no such file\n`;
  expect(run("", copy + failed)).toBe(copy + failed.replace(base, "base"));
});

test("the beginning of a stage is the engine's word, not a step's", () => {
  const begins = vi.fn<() => void>();
  const named = { ...images, lastName: "xbuild-last-1" };
  const log = showUserLog(
    { stdout: vi.fn<() => void>(), stderr: vi.fn<() => void>() },
    {
      sent: listLayeringSteps(plan, target, named),
      ownImage,
      restoreNames: (text) => text,
      onStage: { number: 2, name: named.lastName, begins },
    },
  );
  const lines = echo(lowerLayering(plan, target, named)).split("\n");
  const at = lines.findIndex((line) => line.startsWith("[2/2] STEP 1/"));
  // A step may build images, too.
  const early = [lines[at] ?? "", ...lines.slice(0, at)];
  const others = [
    `FROM ${stageId}`,
    "FROM x",
    `FROM ${environment}`,
    `FROM ${environment} AS last`,
  ];
  const steps = [...early, ...others.map((text) => `[2/2] STEP 1/3: ${text}`)];
  for (const line of steps) log.stdout(Buffer.from(`${line}\n`));
  expect(begins).not.toHaveBeenCalled();
  log.stdout(Buffer.from(`${lines[at]}\n`));
  expect(begins).toHaveBeenCalledOnce();
});
