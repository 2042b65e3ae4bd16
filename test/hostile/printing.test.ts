import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../src/cli/commands.ts";
import { renderFailure } from "../../src/cli/report/failure.ts";
import type { CliIo } from "../../src/cli/io.ts";
import type { LiveLines } from "../../src/cli/drawing.ts";
import { noScreen } from "../../src/cli/screen.ts";
import { createReporter } from "../../src/cli/report/reporter.ts";
import { renderMarkdown } from "../../src/cli/report/markdown.ts";
import { renderResult } from "../../src/cli/report/made-result.ts";
import { XbuildError } from "../../src/errors.ts";
import type { Digest } from "../../src/oci/model.ts";
import { compareLayers } from "../../src/pipeline/comparison/compare-layers.ts";
import { blobPath, type Store } from "../../src/store/layout/paths.ts";
import { captureIo, type Printed } from "../support/capture-io.ts";
import { createPrevious } from "../support/layers/fixtures.ts";
import { listUnseen } from "../support/unseen.ts";
import { commitTestImage, withStore } from "../support/store.ts";

/** Clears the screen, forges a line, turns the direction of writing, hides, and is no text. */
const hostile =
  "a\u001b[2J\u001b]0;t\u0007\u007f\u009b31m\u202e\u2066\u200b\u2028\u2029\ud800\u{e0041}\r\nforged: line\tb";
/** The same for a file's name. */
const hostileFile = hostile.replaceAll(/[/\ud800]/g, "");
const name = `localhost/${hostile}:latest`;

/** A file with a fault in each line, each with the text in it. */
const text = Buffer.from(
  [
    "FROM a:1 AS x\u001b[2J\u202e",
    `FORM ${hostile.split("\r")[0]}`,
    `RUN\u001b[2J\u202e x`,
    `COPY --nope\u009b=\u202e --from=\u001b\u202e a b`,
    `ENV A\u202e`,
    `OUTPUT --inpt\u001b=\u202e /l\u001b\u202e`,
  ].join("\n"),
);

/** Runs a command as the process does. */
async function run(io: CliIo, words: readonly string[]): Promise<void> {
  try {
    await runCommand(words, io);
  } catch (error) {
    io.stderr(renderFailure(error, io).text);
  }
}

function digest(digit: string): Digest {
  return `sha256:${digit.repeat(64)}`;
}

function assertHarmless({ stdout, stderr }: Printed): void {
  expect(listUnseen(stdout.replaceAll("\n", ""))).toEqual([]);
  expect(listUnseen(stderr.replaceAll("\n", ""))).toEqual([]);
  expect(`${stdout}\n${stderr}`).not.toMatch(/^\s*forged/m);
}

let context = "";

beforeAll(async () => {
  context = join(import.meta.dirname, `.printing-${process.pid}`);
  await mkdir(context);
  await writeFile(join(context, hostileFile), text);
  await writeFile(join(context, "Containerfile"), text);
  // A layer of that name; from one directory below it is a file that is none.
  await mkdir(join(context, "output", "layers", hostileFile, "opt"), { recursive: true });
  const targets = { default: { target: hostile, args: { A: hostile }, [hostile]: 1 } };
  await writeFile(join(context, "bake.json"), JSON.stringify({ target: targets, [hostile]: 1 }));
});
afterAll(() => rm(context, { recursive: true }));

/** What each command is run with; it prints the hostile text in some way, or refuses it. */
const lines: Readonly<Record<string, readonly (readonly string[])[]>> = {
  images: [[], ["-q"], ["--format=json"], [hostile], [`--format=${hostile}`]],
  ls: [[]],
  tag: [["app", hostile], [hostile, "app"], [hostile]],
  rmi: [[hostile], ["nobody"]],
  rebase: [
    [hostile, "--onto", "app"],
    ["app", "--onto", hostile],
    ["app", "--onto", `oci:${hostile}`],
    ["app", "--onto", "app", "--from", hostile],
    ["app", "--onto", "app", `--platform=${hostile}`],
  ],
  cache: [
    ["ls"],
    ["ls", "--format=json"],
    ["du"],
    ["prune", "-n", "--tag", "*"],
    ["prune", "-n", "--tag", "*", "--format=json"],
    ["prune", `--max-size=${hostile}`],
    ["verify"],
    ["verify", "--format=json"],
    [hostile],
  ],
  check: ["text", "json", "sarif", "github"].flatMap((format) => [
    ["-f", hostileFile, `--format=${format}`],
    [`--format=${format}`, `--target=${hostile}`],
    ["-f", hostile, `--format=${format}`],
  ]),
  parse: [[hostileFile], [hostile], ["Containerfile"]],
  expand: [["-f", hostileFile], ["--target", hostile], [hostile], [`--${hostile}`]],
  build: [["-f", hostileFile], [hostile], [`--pull=${hostile}`], ["-t", hostile]],
  bake: [
    ["-f", "bake.json", "--print"],
    ["-f", "bake.json"],
    ["-f", "bake.json", hostile],
    ["-f", "bake.json", "--set", hostile],
    ["-f", "bake.json", "--set", `*.${hostile}=1`],
    ["-f", hostileFile],
    ["-f", hostile],
    [hostile],
  ],
  collect: [
    [hostile],
    ["output"],
    ["output", "-t", hostile],
    ["output/layers"],
    ["output", `--reuse=${hostile}`],
    ["output", "--from", `oci:${hostile}`],
    ["--prepare", hostileFile],
  ],
  plan: [
    [hostile],
    [`oci:${hostile}`],
    ["x", `--format=${hostile}`],
    ["x", `--history=${hostile}`],
  ],
  split: [
    [hostile],
    [`oci:${hostile}`, "-t", "x"],
    ["x", "-t", hostile],
    ["x", "-t", "x", `--plan=${hostile}`],
    ["x", "-t", "x", `--map=${hostile}`],
    ["x", "-t", "x", `--kind=${hostile}`],
  ],
  help: [[]],
};

describe("what came from outside, in every command", () => {
  test("all commands are here", () => {
    const source = readFileSync(new URL("../../src/cli/commands.ts", import.meta.url), "utf8");
    const table = /const commands[^{]*\{(?<rows>[^}]*)\}/.exec(source)?.groups?.["rows"] ?? "";
    const commands = [...table.matchAll(/^ {2}(?<name>\w+):/gm)].map(
      (match) => match.groups?.["name"],
    );
    expect(new Set(Object.keys(lines))).toEqual(new Set(commands));
  });

  const cases = Object.entries(lines).flatMap(([command, all]) =>
    all.map((words) => [command, label(words), words] as const),
  );
  test.each(cases)("%s %s", (command, _, words) =>
    withStore(async (store) => {
      await fillStore(store);
      const env = { XBUILD_STORE: store.directory, PATH: process.env["PATH"] };
      const { io, printed } = captureIo({ env, cwd: context });
      await run(io, [command, ...words]);
      expect(printed.stdout + printed.stderr).not.toBe("");
      assertHarmless(printed);
    }),
  );
});

/** For a report that is itself read on a terminal. */
function label(words: readonly string[]): string {
  const line = words.join(" ").replaceAll(hostile, "TEXT");
  return line.replaceAll(hostileFile, "FILE");
}

/** Names, layers and a damaged blob. */
async function fillStore(store: Store): Promise<void> {
  const image = await commitTestImage(store, [hostile], { names: [name, "localhost/app:latest"] });
  await commitTestImage(store, ["other"], { names: [`example.com/${hostile}:1`] });
  await writeFile(blobPath(store, image.manifest.layers[0]?.digest ?? image.digest), "wrong");
}

test("a workflow command ends where ours ends, and holds nothing of another", async () => {
  const file = "x\n::set-output name=a::b%0A::error::c,line=1";
  const { io, printed } = captureIo({ cwd: context });
  await writeFile(join(context, "%0A::x"), "FROM a:1\n::error::x\nRUN <<%0A\n");
  await run(io, ["check", "--format=github", "-f", "%0A::x"]);
  await writeFile(join(context, file), "FORM a\n").catch(() => undefined);
  await run(io, ["check", "--format=github", "-f", file]);
  for (const line of printed.stdout.trimEnd().split("\n")) {
    expect(line).toMatch(/^::(?:error|warning) file=[^:,]*(?:,\w+=[^:,]*)*::(?!:)/);
    expect(line).not.toMatch(/%(?!25|0A|3A|2C)/);
  }
});

describe("what a build tells", () => {
  const error = new XbuildError("usage", hostile, { hint: hostile });
  const place = { line: 1, column: 2, offset: 1 };
  const diagnostic = { code: "usage", severity: "error", message: hostile } as const;
  const located = {
    ...diagnostic,
    hint: hostile,
    file: hostile,
    span: { start: place, end: { line: 1, column: 9, offset: 8 } },
    excerpt: Buffer.from(hostile).toString("latin1"),
  };
  const told = { quiet: false, milliseconds: 1, layers: "changes", isNamed: false } as const;
  const packages = `${hostile}-1 b-2`.replaceAll(/[\r\n\t]/g, "");
  const layers = [hostile, `${hostile}-2`, packages, "other"].map((one, at) => ({
    mediaType: hostile,
    size: 1,
    digest: digest(String(at)),
    diffId: digest(String(at)),
    name: one,
    status: "new" as const,
    verified: true,
    largest: [{ path: hostile, size: 5_000_000 }],
  }));
  const before = [`${hostile}-1`, `gone ${hostile}`, packages.replace("-2", "-1")].map(
    (one, at) => ({
      name: one,
      digest: digest(String(at + 5)),
      diffId: digest(String(at + 5)),
    }),
  );
  const result = {
    names: [hostile],
    digest: digest("0"),
    configDigest: digest("0"),
    mediaType: hostile,
    size: 1,
    comparison: compareLayers(layers, createPrevious(before, true, hostile)),
    platform: { os: hostile, architecture: hostile },
    layers,
  } as const;

  const tellings: Readonly<Record<string, (io: CliIo) => void>> = {
    "an error": (io) => io.stderr(renderFailure(error, io).text),
    "an error with a place": (io) => {
      const withPlace = new XbuildError("usage", "x", { diagnostics: [located, diagnostic] });
      io.stderr(renderFailure(withPlace, io).text);
    },
    "a fault of ours": (io) => {
      const debug = { ...io, env: { XBUILD_DEBUG: "1" } };
      io.stderr(renderFailure(new Error(hostile), debug).text);
    },
    "something that was thrown": (io) => io.stderr(renderFailure(hostile, io).text),
    "a step": (io) => createReporter(io, { quiet: false }).step(hostile)(hostile),
    "its progress on a terminal": (io) => {
      const shown: LiveLines[] = [];
      const show = (lines: LiveLines): (() => void) => {
        shown.push(lines);
        return () => undefined;
      };
      const screen = { ...noScreen, isLive: true, show };
      createReporter({ ...io, screen }, { quiet: false })
        .step("s")
        .progress({ now: hostile });
      for (const lines of shown) lines({ columns: 200, rows: 24 }).map(io.stderr);
    },
    "a reason": (io) => createReporter(io, { quiet: false }).explain(hostile),
    "a warning": (io) => createReporter(io, { quiet: false }).warn(located),
    "a result": (io) => io.stdout(renderResult({ ...result, upToDate: false }, io, told)),
    "a result, with all layers": (io) =>
      io.stdout(renderResult({ ...result, upToDate: false }, io, { ...told, layers: "all" })),
    "a result on a narrow terminal": (io) => {
      const narrow = { ...io, terminal: true, columns: () => 300 };
      io.stdout(renderResult({ ...result, upToDate: false }, narrow, told));
    },
    "a report in Markdown": (io) =>
      io.stdout(Buffer.from(renderMarkdown({ ...result, upToDate: false }))),
    "an up-to-date result": (io) =>
      io.stdout(renderResult({ ...result, upToDate: true }, io, told)),
  };

  test.each(Object.entries(tellings))("%s", (_, tell) => {
    const { io, printed } = captureIo();
    tell(io);
    const ours = printed.stdout.replace("\r\u001b[K", "");
    expect(`${ours}${printed.stderr}`).toContain("\\x1b[2J");
    assertHarmless({ stdout: ours, stderr: printed.stderr });
  });

  test.each(Object.entries(tellings))("%s, in colours: there is no escape but ours", (_, tell) => {
    const { io, printed } = captureIo({ color: true });
    tell(io);
    const plain = `${printed.stdout}${printed.stderr}`
      .replace("\r\u001b[K", "")
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/\u001b\[\d+m/g, "");
    assertHarmless({ stdout: plain, stderr: "" });
    // Those that came from outside would be among them.
    expect(plain).toContain("\\x1b[2J");
  });
});

test("as JSON all is what it was, and nothing acts on a terminal", () => {
  const { io, printed } = captureIo();
  const reporter = createReporter(io, { progress: "rawjson" });
  reporter.step(hostile).progress({ now: hostile });
  reporter.log.stdout(Buffer.from(`${hostile}\n`));
  assertHarmless(printed);
  const [begun, going] = printed.stderr.split("\n");
  expect(JSON.parse(begun ?? "")).toMatchObject({ type: "begin", title: hostile });
  expect(JSON.parse(going ?? "")).toMatchObject({ type: "progress", now: hostile });
});

test("what the engine and its steps print stays theirs, byte for byte", () => {
  const said: unknown[] = [];
  const { io } = captureIo({ stdout: (chunk) => void said.push(chunk) });
  const bytes = Buffer.from([0x1b, 0x5b, 0xff, 0x00, 0x9b]);
  createReporter(io, { quiet: false }).log.stdout(bytes);
  expect(said).toEqual([bytes]);
});

describe("a script of expand", () => {
  const script = `FROM a:1\nRUN echo "\u001b[1m\u202e"\n`;

  test("is faithful where a program reads it", async () => {
    await writeFile(join(context, "script"), script);
    const { io, printed } = captureIo({ cwd: context });
    await run(io, ["expand", "-f", "script"]);
    expect(printed).toEqual({ stdout: script, stderr: "" });
  });

  test("is harmless on a terminal", async () => {
    await writeFile(join(context, "script"), script);
    const { io, printed } = captureIo({ cwd: context, terminal: true });
    await run(io, ["expand", "-f", "script"]);
    expect(printed.stdout).toBe('FROM a:1\nRUN echo "\\x1b[1m\\u202e"\n');
  });
});
