import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import type { Project } from "../../support/project.ts";
import { afterWords } from "../../support/engine.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { mainFile, runXbuild, startXbuild } from "../../support/xbuild.ts";

// What a hurried user gives: each mistake has a code of its own and a hint, and none is called a fault of ours.

const sandbox = useSandbox();
const containerfile = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add etc /etc\n`;

let project: Project;
let places: string;
beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": containerfile });
  places = join(sandbox.directory, "places");
  await mkdir(places);
  await writeFile(join(places, "plain"), "");
  await project.build(["--no-load"]);
});

interface Mistake {
  readonly status: number;
  readonly code: string;
  readonly args?: readonly string[];
  readonly store?: string;
}

const mistakes: Readonly<Record<string, () => Mistake>> = {
  "-f names a directory": () => ({ status: 125, code: "file-not-found", args: ["-f", places] }),
  "-f never ends": () => ({ status: 125, code: "file-not-found", args: ["-f", "/dev/zero"] }),
  "an ignore file that is a directory": () => ({
    status: 125,
    code: "file-not-found",
    args: ["--ignorefile", places],
  }),
  "a file of arguments that is a directory": () => ({
    status: 125,
    code: "file-not-found",
    args: ["--build-arg-file", places],
  }),
  "a volume whose directory is not there": () => ({
    status: 125,
    code: "context-not-found",
    args: ["--volume", `${places}/nowhere:/x:ro`],
  }),
  "two contexts": () => ({ status: 125, code: "usage", args: [places] }),
  "a store that is a file": () => ({
    status: 1,
    code: "store-not-writable",
    store: join(places, "plain"),
  }),
  "a store that is a device": () => ({ status: 1, code: "store-not-writable", store: "/dev/null" }),
  "a store where no directory can be": () => ({ status: 1, code: "store-", store: "/proc/xbuild" }),
  "a store with a long name": () => ({
    status: 1,
    code: "store-not-writable",
    store: join(places, "n".repeat(300)),
  }),
  "a layout where no directory can be": () => ({
    status: 1,
    code: "output-destination",
    args: ["-o", "oci:/proc/xbuild"],
  }),
  "an auth file that is a directory": () => ({
    status: 125,
    code: "usage",
    args: ["--authfile", places, "--cache-from", "127.0.0.1:1/app"],
  }),
};

test("an ignore file whose pattern is not valid", async () => {
  const text = containerfile.replace("OUTPUT", "COPY . /x\nOUTPUT");
  const other = await sandbox.project({ "Containerfile.x": text, ".containerignore": "ok\n[a\n" });
  const outcome = await other.run(["--no-load", other.context]);
  expect([outcome.status, outcome.stderr]).toEqual([
    125,
    expect.stringMatching(/error\[ignore-file-invalid\]: \S+\.containerignore: .*\[a/),
  ]);
});

test("an image whose config nobody would read: its name stays what it was", async () => {
  const other = await sandbox.project({ "Containerfile.x": containerfile });
  const built = await other.build(["--no-load"]);
  const long = "head -c 4190000 /dev/zero | tr '\\0' x";
  const text = `FROM ${baseImage}
OUTPUT /layers
RUN mkdir -p /layers/output/layers/a && echo a > /layers/output/layers/a/a
RUN (printf '{"User":"'; ${long}; printf '"}') > /layers/output/config.json
RUN (printf '[{"created_by":"a","path":"layers/a","comment":"'; ${long}; printf '"}]') > /layers/output/history.json
`;
  await other.write({ "Containerfile.x": text });
  const outcome = await other.fail(1, ["--no-load"]);
  expect(outcome.stderr).toContain("error[output-json-too-large]: the image's config");
  expect(await other.findDigest()).toBe(built.metadata.digest);
});

test("a named context that is not there", async () => {
  const text = containerfile.replace("RUN", "COPY --from=other f /f\nRUN");
  const other = await sandbox.project({ "Containerfile.x": text });
  const outcome = await other.run(["--build-context", `other=${places}/nowhere`, other.context]);
  expect([outcome.status, outcome.stderr]).toEqual([
    125,
    expect.stringContaining("error[context-not-found]: the context other"),
  ]);
});

test.each(Object.entries(mistakes))("%s", async (_what, make) => {
  const { status, code, args = [], store } = make();
  const env = store === undefined ? {} : { XBUILD_STORE: store };
  const words = ["-t", project.name, "--no-load", "--no-cache", ...args, project.context];
  const outcome = await runXbuild(sandbox, words, {
    env: { XBUILD_STORE: project.store, ...env },
  });
  expect([outcome.status, outcome.stderr]).toEqual([
    status,
    expect.stringContaining(`error[${code}`),
  ]);
});

const kinds: Readonly<Record<string, (path: string) => readonly string[]>> = {
  "a file": (path) => ["sh", "-c", 'echo junk > "$1"', "sh", path],
  "a directory": (path) => ["mkdir", "-p", join(path, "x")],
  "a link to nowhere": (path) => ["ln", "-s", "/nonexistent/x", path],
};

/** What stands in a store where something else belongs. */
const odd = [
  ["blobs", "a file"],
  ["blobs/sha256", "a link to nowhere"],
  ["records", "a file"],
  ["refs", "a link to nowhere"],
  ["tmp", "a link to nowhere"],
  ["index.json", "a directory"],
] as const;

test.each(odd)("the store has, as its %s, %s", async (name, kind) => {
  const store = join(places, `store-${name.replace("/", "-")}`);
  execFileSync("cp", ["-a", project.store, store]);
  execFileSync("rm", ["-rf", join(store, name)]);
  const [program = "", ...args] = kinds[kind]?.(join(store, name)) ?? [];
  execFileSync(program, args);
  const words = ["-t", project.name, "--no-load", "--label", "a=b", project.context];
  const { status, stderr } = await runXbuild(sandbox, words, { env: { XBUILD_STORE: store } });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/error\[store-/)]);
});

describe("many stages", () => {
  const stages = Array.from({ length: 20_000 }, (_, index) => index);
  const files = {
    "side by side": stages.map((index) => `FROM ${baseImage} AS s${index}\n`).join(""),
    "each on the one before": stages
      .map((index) => `FROM ${index === 0 ? baseImage : `s${index - 1}`} AS s${index}\n`)
      .join(""),
  };

  test.each(Object.entries(files))("%s", async (what, text) => {
    const file = join(places, what.replaceAll(" ", "-"));
    const rest = "OUTPUT /layers\nRUN /layers/bin/layer add etc /etc\n";
    await writeFile(file, text + rest);
    const outcome = await runXbuild(sandbox, ["expand", "-f", file, project.context]);
    expect([outcome.status, outcome.stderr]).toEqual([0, ""]);
  });

  test("variables in variables", async () => {
    const file = join(places, "deep");
    const value = "${A:-".repeat(50_000) + "x" + "}".repeat(50_000);
    await writeFile(file, `FROM ${baseImage}\nENV B=${value}\nOUTPUT /layers\nRUN true\n`);
    const { status, stderr } = await runXbuild(sandbox, ["expand", "-f", file, project.context]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("error[expansion-invalid]")]);
  });
});

describe("what can be read but once", () => {
  test("a Containerfile from a program, with OUTPUT and without", async () => {
    for (const text of [containerfile, `FROM ${baseImage}\nRUN echo from''pipe; ${afterWords}\n`]) {
      const command = `exec "$1" "$2" -t ${project.name} --no-cache -f <(printf '%s' "$3") "$4"`;
      const args = ["-c", command, "bash", process.execPath, mainFile, text, project.context];
      const env = { ...sandbox.env, XBUILD_STORE: project.store };
      const outcome = await execa("bash", args, { env, reject: false });
      expect([outcome.exitCode, outcome.stderr]).toEqual([0, expect.anything()]);
      expect(outcome.stdout).toMatch(text === containerfile ? /etc/ : /frompipe/);
    }
  });

  test.each(["build", "check", "parse", "expand"])(
    "%s: who writes into the FIFO takes his time, and Ctrl-C is heard",
    async (command) => {
      const fifo = join(places, `fifo-${command}`);
      execFileSync("mkfifo", [fifo]);
      const words = command === "parse" ? [fifo] : ["-f", fifo, project.context];
      const started = startXbuild(sandbox, [command, ...words]);
      const writer = await waitForReader(fifo);
      started.signal("SIGINT");
      expect(await started.ended).toMatchObject({ status: 130 });
      closeSync(writer);
    },
  );
});

/** fifo(7): who opens it for writing without waiting is refused as long as nobody reads. @returns the open end */
async function waitForReader(fifo: string): Promise<number> {
  for (;;) {
    try {
      return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await sleep(20);
    }
  }
}
