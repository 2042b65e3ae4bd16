import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { countColumns } from "../../src/visible.ts";
import { gateStep, openGate } from "../support/gate.ts";
import type { Project } from "../support/project.ts";
import { afterWords } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { playTerminal } from "../support/terminal-screen.ts";
import { mainFile } from "../support/xbuild.ts";

const sandbox = useSandbox();
let project: Project;

/** Looks like an engine's words, and is a step's. */
const lookalikes = ["STEP 9/9: FROM localhost/base", "COMMIT", "--> 0123456789ab"];
const says = lookalikes.map((line) => `echo '${line}'`).join("; ");

const text = `FROM ${baseImage} AS tools
RUN --mount=type=bind,source=in,target=/in cat /in; ${says}; ${afterWords}
FROM ${baseImage} AS one
COPY --from=tools /etc/passwd /p
OUTPUT /layers
RUN /layers/bin/layer add one /p
FROM ${baseImage}
COPY --from=one /p /q
OUTPUT --from=one /layers
RUN printf 'no end'
RUN /layers/bin/layer add two /etc/group
`;

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": text, in: "from the context\n" });
});

/** What nobody but xbuild has written. */
const ghosts = /xbuild-(?:run|env|config|stage)|io\.xbuild|STOPSIGNAL/;

/** Waits for something that comes when it comes. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20);
}

interface Terminal {
  /** All that it was sent. */
  readonly sent: () => Promise<string>;
  readonly type: (keys: string) => void;
  /** Its device. */
  readonly device: () => Promise<string>;
  readonly ended: Promise<number | undefined>;
}

let terminals = 0;

/** Runs a build in a terminal of so many columns. */
async function startInTerminal(
  columns: number,
  words: readonly string[],
  { store }: Pick<Project, "store">,
): Promise<Terminal> {
  terminals += 1;
  const log = join(sandbox.directory, `typescript-${terminals}`);
  const file = join(sandbox.directory, `terminal-${terminals}.sh`);
  const command = [process.execPath, mainFile, ...words].map((one) => `'${one}'`).join(" ");
  await writeFile(file, `stty cols ${columns} rows 24; tty; exec ${command}\n`);
  await writeFile(log, "");
  const flags = ["--quiet", "--flush", "--return", "--command", `sh ${file}`, log];
  const child = execa("script", flags, {
    env: { ...sandbox.env, TERM: "xterm", NO_COLOR: "1", XBUILD_STORE: store },
    reject: false,
    stdin: "pipe",
  });
  const sent = async (): Promise<string> => {
    const lines = (await readFile(log, "utf8")).split("\n");
    return lines.filter((line) => !line.startsWith("Script ")).join("\n");
  };
  return {
    sent,
    type: (keys) => void child.stdin.write(keys),
    device: async () => /\/dev\/pts\/\d+/.exec(await sent())?.[0] ?? "",
    ended: child.then(({ exitCode }) => exitCode),
  };
}

/** The live lines of each drawing. */
function listLive(sent: string): readonly string[] {
  // oxlint-disable-next-line no-control-regex
  return sent.split(/\u001b\[[\d;?]*[A-Za-z]|\r?\n|\r/).filter((one) => one.startsWith("  • "));
}

async function isAtGate(terminal: Terminal): Promise<boolean> {
  return /• 1: Layering steps \(.*: RUN : 一/.test(await terminal.sent());
}

describe("on a terminal", () => {
  let gated: Project;
  beforeAll(async () => {
    const wide = "一二三四五六七八九十".repeat(8);
    const long = gateStep.replace("RUN ", `RUN : ${wide}; `);
    gated = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage} AS other\nOUTPUT /layers\nRUN /layers/bin/layer add other /etc/passwd\nFROM ${baseImage}\nOUTPUT --from=other /layers\n${long}\nRUN /layers/bin/layer add group /etc/group\n`,
    });
  });

  const words = (): readonly string[] => ["--no-cache", "--no-load", "-t", "live", gated.context];

  test("80 columns, then 50: no line is wider, and nothing of them stays", async () => {
    const terminal = await startInTerminal(80, words(), gated);
    await until(() => isAtGate(terminal));
    const before = (await terminal.sent()).length;
    await sandbox.exec("stty", "-F", await terminal.device(), "cols", "50");
    const isDrawnAgain = async (): Promise<boolean> =>
      listLive((await terminal.sent()).slice(before)).some((one) => countColumns(one) < 50);
    await until(isDrawnAgain);
    await openGate(gated);
    expect(await terminal.ended).toBe(0);
    const sent = await terminal.sent();
    const live = listLive(sent);
    expect(live.filter((one) => countColumns(one) >= 80)).toEqual([]);
    expect(live.filter((one) => one.includes("一") && one.endsWith("…"))).not.toEqual([]);
    const { lines, hasCursor } = playTerminal(sent);
    expect(hasCursor).toBe(true);
    expect(lines.filter((line) => line.startsWith("  • "))).toEqual([]);
    expect(lines.map((line) => line.replace(/ \(.*/, ""))).toContain("  ✓ 1: Layering steps");
    expect(lines.filter((line) => line === "begun")).toHaveLength(0);
    expect(lines.filter((line) => line === "[1] begun")).toHaveLength(1);
  });

  test("Ctrl-C gives the terminal back as it was", async () => {
    const terminal = await startInTerminal(80, words(), gated);
    await until(() => isAtGate(terminal));
    terminal.type("\u0003");
    expect(await terminal.ended).toBe(130);
    const { lines, hasCursor } = playTerminal(await terminal.sent());
    expect(hasCursor).toBe(true);
    expect(lines.filter((line) => line.startsWith("  • "))).toEqual([]);
    expect(lines).toContain("xbuild: interrupted; what was not finished is undone");
  });
});

test("a log has whole lines, the user's images, stages and instructions, and no ghosts of ours", async () => {
  const built = await project.build(["--no-load", "--jobs", "2"]);
  const all = `${built.stdout}${built.stderr}`;
  // oxlint-disable-next-line no-control-regex
  expect(all).not.toMatch(/[\u001b\r]/);
  expect(all).not.toMatch(ghosts);
  const expected = [
    `[1/3] STEP 1/2: FROM ${baseImage} AS tools`,
    "[2/3] STEP 3/4: OUTPUT /layers",
    "[2/3] STEP 4/4: RUN /layers/bin/layer add one /p",
    "[3/3] STEP 2/5: COPY --from=one /p /q",
    "[3/3] STEP 5/5: RUN /layers/bin/layer add two /etc/group",
    ...lookalikes,
  ];
  const lines = built.stdout.split("\n");
  expect(expected.filter((line) => !lines.some((one) => one.endsWith(line)))).toEqual([]);
  const begun = [...built.stderr.matchAll(/^==> (.*)$/gm)].map(([, title]) => title);
  const ended = [...built.stderr.matchAll(/^ {2}✓ (.*?) \([^()]+ s\)$/gm)].map(
    ([, title]) => title,
  );
  expect(begun).toContain("one: Layering steps");
  // One whose end tells more than its title has that behind it.
  expect(begun.filter((title) => !ended.some((one) => one?.startsWith(title ?? "")))).toEqual([]);
  expect(built.stdout).not.toMatch(/^(?:==>| {2}✓)/m);
});

interface Event {
  readonly type: string;
  readonly id?: number;
  readonly title?: string;
  readonly failed?: boolean;
  readonly text?: string;
  readonly code?: string;
  readonly digest?: string;
}

function readEvents(stderr: string): readonly Event[] {
  return stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Event => JSON.parse(line));
}

/** Steps that began and ended, by their titles; the others have no end. */
function listEnded(events: readonly Event[]): readonly string[] {
  const begun = events.filter(({ type }) => type === "begin");
  const ended = events.filter(({ type }) => type === "end");
  expect(new Set(ended.map(({ id }) => id))).toEqual(new Set(begun.map(({ id }) => id)));
  expect(ended).toHaveLength(begun.length);
  return begun.map(({ title = "" }) => title);
}

describe("rawjson", () => {
  let fresh: Project;
  beforeAll(async () => {
    fresh = await sandbox.project({ "Containerfile.x": text, in: "from the context\n" });
  });

  test.each([
    ["a first build", ["--load"], true],
    ["one that has nothing to do", ["--load"], false],
    ["one that builds all again", ["--no-cache", "--load", "--jobs", "2"], true],
  ])("%s: every process that is started is in a step that has a title", async (_, flags, asks) => {
    const path = join(sandbox.directory, "events");
    await writeFile(path, "");
    const words = ["-t", fresh.name, "--progress=rawjson", ...flags, fresh.context];
    const env = { ...sandbox.env, XBUILD_STORE: fresh.store, XBUILD_TEST_CALLS: path };
    // One file for both, so that it is known which came first.
    const shell = ["-c", 'exec "$0" "$@" 2>>"$XBUILD_TEST_CALLS"', process.execPath, mainFile];
    const { stdout } = await execa("sh", [...shell, ...words], { env });
    const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
    const openSteps = new Set<number>();
    const untitled: string[] = [];
    const first = lines.findIndex((line) => line.startsWith("{"));
    for (const line of lines.slice(first)) {
      if (!line.startsWith("{")) {
        if (openSteps.size === 0) untitled.push(line);
        continue;
      }
      const { type, id = 0 }: Event = JSON.parse(line);
      if (type === "begin") openSteps.add(id);
      if (type === "end") openSteps.delete(id);
    }
    expect(untitled).toEqual([]);
    expect(lines.some((line) => /^(?:buildah|podman|skopeo) /.test(line))).toBe(asks);
    const events = readEvents(lines.filter((line) => line.startsWith("{")).join("\n"));
    expect(listEnded(events)).toContain("Looking for changes");
    const result = events.at(-1);
    expect(result).toMatchObject({ type: "result", digest: await fresh.findDigest() });
    expect(stdout).not.toMatch(/STEP|==>|✓|from the context/);
    expect(stdout).toMatch(/\n[0-9a-f]{64}$/);
  });

  test("a build that fails: its steps end, the error is the last event", async () => {
    await fresh.write({
      "Containerfile.x": `${text}RUN echo caf\\\\351 | sed 's/x/y/'; exit 7\n`,
    });
    const failed = await fresh.fail(7, ["--progress=rawjson"]);
    await fresh.write({ "Containerfile.x": text });
    const events = readEvents(failed.stderr);
    expect(events.at(-1)).toMatchObject({ type: "error", code: "step-failed" });
    expect(listEnded(events)).not.toEqual([]);
    const broken = events.filter((one) => one.failed === true).map(({ title }) => title);
    expect(broken).toContain("2: Layering steps");
    expect(events.some((one) => one.type === "log" && one.text?.includes("caf"))).toBe(true);
    expect(failed.stderr).not.toMatch(ghosts);
  });
});

function runHere(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ReturnType<Project["run"]> {
  return project.run(["-t", project.name, ...words, project.context], { env });
}

describe("which way is taken", () => {
  test("the flag, else the variable; what is none is wrong usage", async () => {
    const json = await runHere(["--no-load"], { BUILDKIT_PROGRESS: "rawjson" });
    expect(readEvents(json.stderr).at(-1)).toMatchObject({ type: "result" });
    const plain = await runHere(["--no-load", "--progress=plain"], {
      BUILDKIT_PROGRESS: "rawjson",
    });
    expect(plain.status).toBe(0);
    expect(plain.stderr).not.toContain("{");
    const quiet = await runHere(["--no-load", "--progress", "quiet", "--no-cache"]);
    expect(quiet.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(quiet.stderr.replaceAll("[2] ", "")).not.toMatch(/==>|STEP/);
    const both = await runHere(["--no-load", "-q"], { BUILDKIT_PROGRESS: "plain" });
    expect(both.stdout).toBe(quiet.stdout);
    for (const [words, env] of [
      [["--progress=fancy"], {}],
      [[], { BUILDKIT_PROGRESS: "fancy" }],
      [["-q", "--progress=plain"], {}],
    ] as const) {
      const wrong = await runHere(words, env);
      expect(wrong.status).toBe(125);
      expect(wrong.stderr).toContain("progress");
    }
  });

  test("a file without OUTPUT, and bake", async () => {
    await project.write({
      Containerfile: `FROM ${baseImage}\nRUN echo from the engine\n`,
      "bake.json": JSON.stringify({
        target: {
          default: { context: project.context, tags: ["baked"], output: ["type=cacheonly"] },
        },
      }),
    });
    const file = join(project.context, "Containerfile");
    const passed = await project.run(["-f", file, "--progress=plain", project.context]);
    expect(passed).toMatchObject({ status: 0 });
    expect(passed.stdout).toContain("STEP 2/2: RUN echo from the engine");
    const silent = await project.run(["-f", file, "--progress=quiet", project.context]);
    expect(silent.stdout).not.toContain("STEP");
    const baked = await project.run([
      "bake",
      "-f",
      join(project.context, "bake.json"),
      "--progress=rawjson",
      "--",
      "--no-load",
    ]);
    expect(readEvents(baked.stderr).at(-1)).toMatchObject({ type: "result" });
  });
});
