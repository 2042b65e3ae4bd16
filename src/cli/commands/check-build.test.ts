import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { XbuildError } from "../../errors.ts";
import { runCommand } from "../commands.ts";

// What a build refuses before its engine pulls or builds anything, `check` finds with the same command line, under the same
// code; what it does not refuse, `check` finds no error in. The engine here writes down what it is asked, and fails.

const corpus = new URL("../../../grammar/corpus/bad/", import.meta.url);
let directory = "";
let log = "";

const { PATH } = process.env;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "xbuild-check-build-"));
  log = join(directory, "calls");
  mkdirSync(join(directory, "bin"));
  mkdirSync(join(directory, "sub"));
  const recorder = join(directory, "bin", "buildah");
  writeFileSync(
    recorder,
    `#!/bin/sh
case "$*" in --version) echo "buildah version 1.28.2 (image-spec 1.1)" && exit ;; *--help) exit 0 ;; esac
echo "$*" >>"${log}"
echo "Error: it records its calls" >&2
exit 99
`,
  );
  chmodSync(recorder, 0o755);
  // What starts the engine reads it, not what the command is given.
  process.env["PATH"] = `${directory}/bin:/usr/bin:/bin`;
  for (const name of ["plain", "layered", "other", "Containerfile.in"])
    writeFileSync(join(directory, name), texts[name] ?? "");
  writeFileSync(join(directory, "ignore"), "[a\n");
  writeFileSync(join(directory, "arguments"), "A=1\n");
});
beforeEach(() => rmSync(log, { force: true }));
afterAll(() => {
  process.env["PATH"] = PATH;
  rmSync(directory, { recursive: true });
});

const layered = `FROM localhost/a AS base
COPY arguments /a
FROM localhost/a AS final
ARG P=/layers
COPY --from=base /a /a
OUTPUT $P
RUN true
`;

const texts: Readonly<Record<string, string>> = {
  layered,
  plain: "FROM localhost/a AS final\nCOPY arguments /a\n",
  other: "FROM scratch\nOUTPUT /l\nRUN true\nFROM localhost/a AS final\nLABEL a=b\n",
  "Containerfile.in": "FROM scratch\nOUTPUT /l\nRUN true\n",
};

async function run(words: readonly string[]) {
  const env = {
    PATH: process.env["PATH"],
    HOME: directory,
    XBUILD_STORE: join(directory, "store"),
  };
  const { io, printed } = captureIo({ cwd: directory, env });
  let error: XbuildError | undefined;
  let status: number | undefined;
  try {
    status = await runCommand(words, io);
  } catch (thrown) {
    if (!(thrown instanceof XbuildError)) throw thrown;
    error = thrown;
  }
  return { error, status, printed };
}

/** The codes under which a build is refused; none where the engine was asked to do something. */
async function listRefusals(words: readonly string[]): Promise<readonly string[]> {
  const { error } = await run(["build", ...words]);
  const calls = existsSync(log) ? readFileSync(log, "utf8") : "";
  if (/^(?:build|pull|from) /m.test(calls) || error === undefined) return [];
  const { code, diagnostics } = error;
  const found = diagnostics.filter(({ severity }) => severity === "error");
  return listCodes(found.length > 0 ? found : [{ code }]);
}

async function listErrors(words: readonly string[]): Promise<readonly string[]> {
  const { error, status, printed } = await run(["check", "--format=json", ...words]);
  const { diagnostics }: { diagnostics: readonly { code: string; severity: string }[] } =
    printed.stdout === "" ? { diagnostics: [] } : JSON.parse(printed.stdout);
  expect(status ?? error?.exitStatus).toBe(error?.exitStatus ?? (diagnostics.length > 0 ? 1 : 0));
  const found = diagnostics.filter(({ severity }) => severity === "error");
  return listCodes(error === undefined ? found : [...found, error]);
}

function listCodes(found: readonly { readonly code: string }[]): readonly string[] {
  return [...new Set(found.map(({ code }) => code))].sort();
}

describe("command lines", () => {
  const wrong: readonly (readonly [code: string, line: string])[] = [
    ["usage", "--squash"],
    ["usage", "--cache-to=a"],
    ["usage", "--env=A=1"],
    ["usage", "--userns=auto"],
    ["usage", "--no-such-flag"],
    ["usage", "--trust-cache=nmaed"],
    ["usage", "--input=some"],
    ["usage", "--pull=often"],
    ["usage", "--max-layers=0"],
    ["usage", "--max-layer-size=much"],
    ["usage", "--jobs=x"],
    ["usage", "--retry=x"],
    ["usage", "--retry-delay=x"],
    ["usage", "--authfile=nowhere"],
    ["usage", "--timestamp=x"],
    ["usage", "--platform=a/b/c/d"],
    ["usage", "--platform=linux/amd64 --all-platforms"],
    ["usage", "--platform=linux/amd64,linux/arm64 -o docker-archive:a.tar"],
    ["usage", "--load --no-load -t a"],
    ["usage", "--load"],
    ["usage", "--push"],
    ["usage", "--push -t a"],
    ["usage", "-t a --manifest a"],
    ["usage", "-o sif:a"],
    ["usage", "--redact A"],
    ["usage", "--build-context a"],
    ["usage", "--engine=docker"],
    ["usage", "-f other"],
    ["usage", "--target base --target final -t a"],
    ["usage", "-- --tag=a"],
    ["name-invalid", "-t Upper"],
    ["name-invalid", "--manifest Upper"],
    ["name-invalid", "--cache-from=registry.example/Upper"],
    ["file-not-found", "-f nowhere"],
    ["file-not-found", "--ignorefile nowhere"],
    ["file-not-found", "--build-arg-file nowhere"],
    ["file-not-found", "--secret=id=a,src=nowhere"],
    ["output-destination", "--iidfile nowhere/id"],
    ["output-destination", "--metadata-file nowhere/file"],
    ["output-destination", "-o oci:arguments"],
    ["output-destination", "-o oci-archive:sub"],
    ["target-not-found", "--target finla"],
    ["output-path-relative", "--build-arg P=layers"],
    ["output-path-root", "--build-arg P=/"],
    ["output-path-characters", "--build-arg P=/a:b"],
    ["output-copy-into-path", "--build-arg P=/dst"],
  ];

  test.each(wrong)("%s: %s", async (code, line) => {
    const text = code === "output-copy-into-path" ? `${layered}COPY arguments /dst/a\n` : layered;
    writeFileSync(join(directory, "layered"), text);
    const words = ["-f", "layered", ...line.split(" ")];
    const all = words.includes("--")
      ? [...words.slice(0, 2), ".", ...words.slice(2)]
      : [...words, "."];
    expect(await listRefusals(all)).toEqual([code]);
    rmSync(log, { force: true });
    expect(await listErrors(all)).toEqual([code]);
  });

  // These a build finds while its engine looks for the bases: what it says first is chance.
  test.each([
    ["context-not-found", "--volume=/nowhere/at/all:/v:ro"],
    ["context-not-found", "--build-context=base=nowhere"],
    ["ignore-file-invalid", "--ignorefile=ignore"],
  ])("%s: %s, of check", async (code, flag) => {
    writeFileSync(join(directory, "layered"), layered);
    expect(await listErrors(["-f", "layered", flag, "."])).toEqual([code]);
  });

  test.each([
    "-t a --push -f Containerfile.in",
    "-f Containerfile.in",
    "-f layered nowhere",
    "-f plain --push -t a",
    "-f plain --input=all",
    "-f other --no-load",
    "-f other -o docker://registry.example/a",
  ])("of other files: %s", async (line) => {
    const words = [...line.split(" "), ...(line.endsWith("nowhere") ? [] : ["."])];
    const refusals = await listRefusals(words);
    expect(refusals).toHaveLength(1);
    expect(await listErrors(words)).toEqual(refusals);
  });

  test.each([
    "",
    "-t a -t b:1 --no-load",
    "--platform=linux/amd64 -t a",
    "--platform=linux/amd64,linux/arm64 -o oci-archive:a.tar",
    "--build-arg P=/other --build-context base=sub --label a=b",
    "--squash -f plain",
    "--format=docker -f other",
    "--target=base",
    "--iidfile sub/id --metadata-file /dev/null --jobs=0",
  ])("nothing is wrong with %s", async (line) => {
    const words = ["-f", "layered", ...line.split(" ").filter((word) => word !== "")];
    const all = line.includes("-f ") ? [...words.slice(2), "."] : [...words, "."];
    writeFileSync(join(directory, "layered"), layered);
    expect(await listRefusals(all)).toEqual([]);
    expect(existsSync(log)).toBe(true);
    expect(await listErrors(all)).toEqual([]);
  });
});

describe("files", () => {
  // What is appended is no instruction there, or makes another file of it.
  const beyond = new Set(["heredoc-unterminated", "heredoc-unterminated-in-continuation"]);

  test.each(readdirSync(corpus).filter((name) => !beyond.has(name)))("%s", async (name) => {
    const text = readFileSync(new URL(`${name}/Containerfile`, corpus), "latin1");
    const target = name === "target-not-found" ? ["--target=biuld"] : [];
    const path = join(directory, "bad");
    writeFileSync(path, `${text}\nOUTPUT /appended\nRUN true\n`, "latin1");
    const words = ["-f", "bad", ...target, "."];
    const refusals = await listRefusals(words);
    const expected = readFileSync(new URL(`${name}/expected.txt`, corpus), "utf8");
    expect(refusals.length > 0 || !expected.includes(": error[")).toBe(true);
    expect(await listErrors(words)).toEqual(refusals);
  });
});
