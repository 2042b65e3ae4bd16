import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testEngine } from "../support/engine.ts";
import { listLeftovers } from "../support/leftovers.ts";
import { portOf } from "../support/port.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, startXbuild, type Outcome } from "../support/xbuild.ts";

const sandbox = useSandbox();
const run = promisify(execFile);

const text = `FROM ${baseImage}
COPY . /src
OUTPUT /layers
RUN /layers/bin/layer add passwd /etc/passwd && /layers/bin/layer add app /src/hello
`;
const alone = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
/** The time is given, so that the same build has the same ID. */
const plain = `FROM ${baseImage}\nCOPY . /src\n`;

/** What a server gives, by path, and what it was asked. */
const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
const asked: { url: string | undefined; authorization: string | undefined }[] = [];
const server = createServer((request, response) => {
  const { url, headers } = request;
  asked.push({ url, authorization: headers.authorization });
  const answer = answers.get(url ?? "");
  if (answer === undefined) response.writeHead(404).end();
  else answer(request, response);
});
let address = "";
let project: Project;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  address = `http://127.0.0.1:${portOf(server)}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(async () => {
  asked.length = 0;
  answers.clear();
  project = await sandbox.project({ Containerfile: text, hello: "one\n" });
});

function serve(path: string, bytes: Uint8Array | string): void {
  answers.set(path, (_, response) => void response.end(bytes));
}

/** The context's files as an archive, in another order each time it matters. */
async function pack(flag = "--sort=name"): Promise<Buffer> {
  const words = ["-C", project.context, flag, "-c", "."];
  const { stdout } = await run("tar", words, { encoding: "buffer", maxBuffer: 2 ** 24 });
  return stdout;
}

/** Builds a context that is elsewhere, the working directory being an empty one. */
async function build(
  words: readonly string[],
  input?: string | Uint8Array,
  status = 0,
): Promise<Outcome> {
  const cwd = join(project.store, "..", "empty");
  await mkdir(cwd, { recursive: true });
  const options = { cwd, ...(input === undefined ? {} : { input }) };
  const outcome = await project.run(["-t", project.name, ...words], options);
  assertStatus(outcome, status);
  return outcome;
}

test("an archive on standard input, whatever its packing: only its content counts", async () => {
  const first = await build(["-"], await pack());
  expect(first.stdout).toContain(": 2 new (");
  const again = await build(["-"], await pack("-z"));
  expect(again).toMatchObject({ builds: [] });
  expect(again.stdout).toContain("Up to date");
  await project.write({ hello: "two\n" });
  const changed = await build(["-"], await pack());
  expect(changed.stdout).toMatch(/: 1 changed, 1 kept \(/);
  // Nothing is remembered by the path of a directory that is gone.
  const known = await readdir(join(project.store, "cache"));
  expect(known.filter((name) => name.startsWith("stat-"))).toEqual([]);
});

test("the ignore file of an archive holds, and a Containerfile of another name is in it", async () => {
  await project.write({ ".dockerignore": "hello\n", "sub/File": text });
  const outcome = await build(["-f", "sub/File", "-"], await pack(), 1);
  expect(outcome.stderr).toContain("sub/File:4:1: error[step-failed]");
});

test("a Containerfile alone on standard input, and several targets of it", async () => {
  const first = await build(["-"], alone);
  expect(first.stdout).toContain(": 1 new (");
  expect(await build(["-"], alone)).toMatchObject({ builds: [] });
  const several = `${alone.replace(baseImage, `${baseImage} AS a`)}FROM a AS b\n`;
  const words = ["--target", "a", "-t", "localhost/a", "--target", "a", "-t", "localhost/b", "-"];
  const outcome = await project.run(words, { input: several });
  assertStatus(outcome, 0);
});

test("an archive behind a URL: user and password go there, and are nowhere told", async () => {
  serve("/c.tgz?token=secret", await pack("-z"));
  const url = `${address.replace("//", "//user:secret@")}/c.tgz?token=secret`;
  const first = await build([url]);
  expect(first.stdout).toContain(": 2 new (");
  const again = await build([url]);
  expect(again).toMatchObject({ builds: [] });
  const authorization = `Basic ${Buffer.from("user:secret").toString("base64")}`;
  expect(asked).toEqual([0, 1].map(() => ({ url: "/c.tgz?token=secret", authorization })));
  expect(first.stdout + first.stderr + again.stdout + again.stderr).not.toContain("secret");
  await expect(run("grep", ["-r", "secret", project.store])).rejects.toMatchObject({ code: 1 });
  await project.write({ hello: "two\n" });
  serve("/c.tgz?token=secret", await pack("-z"));
  expect((await build([url])).stdout).toMatch(/: 1 changed, 1 kept \(/);
});

test("a redirect elsewhere gets no password, and one that has no end is none", async () => {
  const archive = await pack();
  const other = createServer((request, response) => {
    asked.push({ url: "other", authorization: request.headers.authorization });
    response.end(archive);
  });
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  try {
    const location = `http://127.0.0.1:${portOf(other)}/c.tar`;
    answers.set("/to", (_, response) => void response.writeHead(302, { location }).end());
    answers.set("/on", (_, response) => void response.writeHead(302, { location: "/on" }).end());
    await build([`${address.replace("//", "//user:secret@")}/to`]);
    expect(asked.at(-1)).toEqual({ url: "other", authorization: undefined });
    const outcome = await build([`${address}/on`], undefined, 1);
    expect(outcome.stderr).toContain("error[context-unavailable]");
  } finally {
    other.close();
  }
});

test("a Containerfile behind a URL, as context and as -f", async () => {
  serve("/File", alone);
  expect((await build([`${address}/File`])).stdout).toContain(": 1 new (");
  const beside = await project.run(["-f", `${address}/File`, project.context]);
  assertStatus(beside, 0);
  expect(beside.stdout).toContain("Up to date");
  serve("/c.tar", await pack());
  expect((await build(["-f", "-", `${address}/c.tar`], text)).stdout).toContain("app");
});

test("named contexts are fetched, and count by their content", async () => {
  const file = `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,from=lib,target=/lib /layers/bin/layer add lib -C /lib hello\n`;
  serve("/lib.tar", await pack());
  const words = [`--build-context=lib=${address}/lib.tar`, "-f", "-", project.context];
  expect((await build(words, file)).stdout).toContain(": 1 new (");
  expect(await build(words, file)).toMatchObject({ builds: [] });
});

function mount(source: string): string {
  return `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,source=${source},target=/m /layers/bin/layer add m /m\n`;
}

test("a mount of what leads out of a fetched context is refused, and shows nothing of this machine", async () => {
  await symlink("/etc", join(project.context, "x"));
  await project.write({ Containerfile: mount("x") });
  const refused = await build(["-"], await pack(), 125);
  expect(refused.stderr).toContain("error[context-not-found]");
  expect(refused.stderr).toContain("leads out of it");
  expect(refused.builds).toEqual([]);
  await project.write({ Containerfile: mount("hello") });
  expect((await build(["-"], await pack())).stdout).toContain(": 1 new (");
});

test.each([
  ["an address that is not there", "/nowhere", "context-unavailable", "answers 404"],
  ["an archive that is cut", "/cut", "context-archive-invalid", "two blocks of zeros"],
  ["nothing", "/empty", "context-unavailable", "it is empty"],
  ["a Containerfile that leads out", "/link", "context-not-found", "leads out of the context"],
  ["a context without a Containerfile", "/none", "file-not-found", "no Containerfile.x"],
  ["a server that says nothing", "/silent", "context-unavailable", "nothing came for 1 s"],
])("%s is an error, and nothing stays", async (_, path, code, words) => {
  serve("/cut", (await pack()).subarray(0, 2000));
  serve("/empty", "");
  await project.remove("Containerfile");
  serve("/none", await pack());
  await project.write({
    Containerfile: { link: join(sandbox.directory, "base", "Containerfile") },
  });
  serve("/link", await pack());
  answers.set("/silent", () => undefined);
  const env = { XBUILD_REGISTRY_TIMEOUT: "1" };
  const outcome = await project.run(["-t", project.name, address + path], { env });
  expect(outcome).toMatchObject({ builds: [] });
  expect(outcome.status).toBe(
    code.startsWith("context-not") || code === "file-not-found" ? 125 : 1,
  );
  expect(outcome.stderr).toContain(`error[${code}]`);
  expect(outcome.stderr).toContain(words);
  expect(await project.findDigest()).toBeUndefined();
});

test.each([
  [["-f", "-", "-"], "standard input cannot be both"],
  [["ARCHIVE"], "xbuild build - < "],
])("%j is wrong usage", async (words, said) => {
  const archive = join(sandbox.directory, "context.tar.gz");
  await writeFile(archive, await pack("-z"));
  const outcome = await build(
    words.map((word) => (word === "ARCHIVE" ? archive : word)),
    "",
    125,
  );
  expect(outcome.stderr).toContain(said);
  await rm(archive);
});

test("without OUTPUT the engine gets what it would have got", async () => {
  await project.write({ Containerfile: plain, ".containerignore": "hello\n" });
  const archive = await pack("-z");
  serve("/c.tgz", archive);
  const path = join(sandbox.directory, "plain.tgz");
  await writeFile(path, archive);
  const words = ["build", "-q", "--timestamp=0", "--layers=false"];
  const own = await sandbox.exec("sh", "-c", `${testEngine} ${words.join(" ")} - <${path}`);
  for (const [context, input] of [
    ["-", archive],
    [`${address}/c.tgz`, undefined],
  ] as const) {
    const outcome = await build([...words.slice(1), context], input);
    expect(outcome.stdout.trim()).toBe(own.trim());
  }
  expect(asked).toHaveLength(1);
  const file = await build([...words.slice(1), "-"], `FROM ${baseImage}\nRUN exit 7\n`, 7);
  expect(file.calls.filter((call) => call.includes(" build "))).toHaveLength(1);
});

test("without an OUTPUT that the target uses the engine gets the file without them", async () => {
  const file = `FROM ${baseImage} AS layered\nOUTPUT /layers\nRUN false\nFROM ${baseImage}\nCOPY hello /\n`;
  await project.write({ Containerfile: file });
  const outcome = await build(["-"], await pack());
  expect(outcome.stdout).toContain("COPY hello /");
});

test.each([
  ["interrupted", "SIGINT", 130],
  ["killed", "SIGKILL", undefined],
] as const)("what is fetched goes when the build is %s", async (_, signal, status) => {
  const input = new PassThrough();
  const env = { XBUILD_STORE: project.store };
  const started = startXbuild(sandbox, ["-t", project.name, "-"], { env, input });
  input.write((await pack()).subarray(0, 2000));
  await once(started.stderr, "data");
  started.signal(signal);
  const outcome = await started.ended;
  input.destroy();
  expect(outcome.status).toBe(status);
  // Also where the next one is the engine's.
  if (status === undefined) await build(["-"], plain);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
});
