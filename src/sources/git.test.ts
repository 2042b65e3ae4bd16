import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { portOf } from "../../test/support/port.ts";
import { fetchRepository } from "./git.ts";
import { parseSource } from "./parse.ts";

const run = promisify(execFile);
const identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

/** Git in a repository, whatever this machine's configuration says. */
async function git(repository: string, ...words: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  const { stdout } = await run("git", [...identity, ...words], { cwd: repository, env });
  return stdout.trim();
}

async function commit(
  repository: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(repository, path, ".."), { recursive: true });
    await writeFile(join(repository, path), text);
  }
  await git(repository, "add", "--all");
  await git(repository, "commit", "--quiet", "--allow-empty", "-m", "a commit");
  return git(repository, "rev-parse", "HEAD");
}

interface Place {
  readonly directory: string;
  readonly repository: string;
  /** Fetches what stands behind the repository's address. @returns the directory of the context */
  readonly fetch: (rest?: string, env?: Readonly<Record<string, string>>) => Promise<string>;
}

function withRepository(action: (place: Place) => Promise<void>): Promise<void> {
  return withTemporaryDirectory(async (directory) => {
    const repository = join(directory, "repository");
    await mkdir(repository);
    await git(repository, "init", "--quiet", "--initial-branch=main");
    let count = 0;
    await action({
      directory,
      repository,
      fetch: async (rest = "", env = {}) => {
        count += 1;
        const target = join(directory, `context-${count}`);
        await mkdir(target);
        return fetchAddress(`file://${repository}${rest}`, target, env);
      },
    });
  });
}

function fetchAddress(
  address: string,
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const source = parseSource(address);
  if (source.kind !== "git") throw new Error(`${address} is no repository`);
  return fetchRepository(source, {
    directory,
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env },
    timeout: 60_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

test("branches, tags, commits and directories are found, and nothing of git stays", () =>
  withRepository(async ({ repository, fetch }) => {
    const first = await commit(repository, { f: "one", "sub/f": "sub" });
    await git(repository, "tag", "-a", "v1", "-m", "a tag");
    await git(repository, "branch", "feature/a");
    await commit(repository, { f: "two" });
    const read = async (rest: string): Promise<string> =>
      readFile(join(await fetch(rest), "f"), "utf8");
    expect(await read("")).toBe("two");
    expect(await read("#main")).toBe("two");
    for (const rest of ["#v1", "#feature/a", `#${first}`, `#${first.slice(0, 9)}`, "?tag=v1"])
      expect(await read(rest)).toBe("one");
    expect(await read("#:sub")).toBe("sub");
    expect(await read(`#v1:sub`)).toBe("sub");
    expect(await read(`?branch=feature/a&subdir=sub&checksum=${first}`)).toBe("sub");
    expect(await readdir(await fetch())).toEqual(["f", "sub"]);
  }));

test.each([
  ["#nowhere", "context-unavailable", "remote ref nowhere"],
  ["#0123456789", "context-unavailable", "no commit 0123456789"],
  ["?checksum=0123456", "context-unavailable", "not 0123456"],
  ["#:nowhere", "context-not-found", "does not have the directory nowhere"],
  ["#:f", "context-not-found", "is a file"],
  ["#:out", "context-not-found", "leads out"],
])("%s is an error", (rest, code, message) =>
  withRepository(async ({ repository, fetch }) => {
    await symlink("/etc", join(repository, "out"));
    await commit(repository, { f: "" });
    await expect(fetch(rest)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  }),
);

test("modes are the same whatever the umask, and hooks and filters of the user do not run", () =>
  withRepository(async ({ directory, repository, fetch }) => {
    const marker = join(directory, "marker");
    await commit(repository, { ".gitattributes": "* filter=mark text eol=lf\n", f: "a\n" });
    const hooks = join(directory, "hooks");
    await mkdir(hooks);
    await writeFile(join(hooks, "post-checkout"), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    const config = join(directory, "config");
    const mark = `sh -c 'touch ${marker}; cat'`;
    await writeFile(
      config,
      `[core]\nhooksPath = ${hooks}\nautocrlf = true\n[filter "mark"]\nsmudge = "${mark}"\nrequired = true\n`,
    );
    const old = process.umask(0o077);
    try {
      const context = await fetch("", { GIT_CONFIG_GLOBAL: config });
      expect((await stat(join(context, "f"))).mode & 0o777).toBe(0o644);
      expect(await readFile(join(context, "f"), "utf8")).toBe("a\n");
    } finally {
      process.umask(old);
    }
    await expect(stat(marker)).rejects.toThrow("ENOENT");
  }));

test("submodules are fetched, without filters and by protocols that run no program", () =>
  withRepository(async ({ directory, repository, fetch }) => {
    const marker = join(directory, "marker");
    const inner = join(directory, "inner");
    await mkdir(inner);
    await git(inner, "init", "--quiet", "--initial-branch=main");
    await commit(inner, { ".gitattributes": "* filter=mark\n", deep: "deep" });
    const file = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    await git(repository, ...file, `file://${inner}`, "module");
    await commit(repository, {});
    const config = join(directory, "config");
    await writeFile(config, `[filter "mark"]\nsmudge = touch ${marker}\nrequired = true\n`);
    const context = await fetch("", { GIT_CONFIG_GLOBAL: config });
    expect(await readdir(join(context, "module"))).toEqual([".gitattributes", "deep"]);
    await expect(stat(marker)).rejects.toThrow("ENOENT");
    const modules = await readFile(join(repository, ".gitmodules"), "utf8");
    const url = `ext::sh -c touch% ${marker}`;
    await commit(repository, { ".gitmodules": modules.replace(`file://${inner}`, url) });
    await expect(fetch()).rejects.toMatchObject({ code: "context-unavailable" });
    await expect(stat(marker)).rejects.toThrow("ENOENT");
  }));

test("git that is not installed is said to be", () =>
  withRepository(async ({ directory, repository, fetch }) => {
    await commit(repository, { f: "" });
    const programs = join(directory, "programs");
    await mkdir(programs);
    await symlink("/bin/sh", join(programs, "sh"));
    await expect(fetch("", { PATH: programs })).rejects.toThrow("git is not installed");
  }));

test("variables that are about another repository are not heard", () =>
  withRepository(async ({ repository, fetch }) => {
    await commit(repository, { f: "" });
    const env = { GIT_DIR: "/nonexistent", GIT_INDEX_FILE: "/nonexistent/index" };
    expect(await readdir(await fetch("", env))).toEqual(["f"]);
  }));

test("user and password are shown to their host alone, and to nobody in an error", () =>
  withTemporaryDirectory(async (directory) => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end("secret?");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const address = `http://us%20er:secr%C3%A9t@127.0.0.1:${portOf(server)}/x.git`;
      const error: unknown = await fetchAddress(address, directory).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: "context-unavailable" });
      expect(JSON.stringify([String(error), error])).not.toMatch(/secr/);
      const basic = `Basic ${Buffer.from("us er:secrét").toString("base64")}`;
      expect(seen).toContain(basic);
    } finally {
      server.close();
    }
  }));
