import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, type Outcome, runXbuild } from "../support/xbuild.ts";

// xbuild split: any image, from any place, with a layer for each package; and xbuild plan, which tells of it.

const sandbox = useSandbox();
const service = useRegistry();
const source = "localhost/source:latest";

interface Layer {
  readonly name: string;
  readonly digest: string;
  readonly status: string;
}

const place = (name: string): string => join(sandbox.directory, name);

function stanza(name: string, version: string): string {
  return `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
}

/** An image with dpkg's records of two packages, made by the engine alone. */
async function makeSource(curl: string): Promise<void> {
  const context = place("source");
  await mkdir(context, { recursive: true });
  await writeFile(join(context, "status"), stanza("bash", "5.2-1") + stanza("curl", curl));
  const info = "/var/lib/dpkg/info";
  await writeFile(
    join(context, "Containerfile"),
    `FROM ${baseImage}\nCOPY status /var/lib/dpkg/status\n` +
      `RUN mkdir -p ${info} /usr/bin /data && echo bash > /usr/bin/bash && echo ${curl} > /usr/bin/curl` +
      ` && echo /usr/bin/bash > ${info}/bash.list && echo /usr/bin/curl > ${info}/curl.list\n` +
      `ENV A=1\nLABEL one=two\nVOLUME /data\nUSER app\nENTRYPOINT ["/bin/sh"]\nHEALTHCHECK CMD true\n`,
  );
  await sandbox.exec("buildah", "build", "-q", "--format=docker", "-t", source, context);
}

async function split(...words: readonly string[]): Promise<Outcome> {
  const outcome = await runXbuild(sandbox, ["split", ...words]);
  assertStatus(outcome, 0);
  return outcome;
}

/** The same with what came out, without what moves it into the engine's storage. */
async function splitAs(
  name: string,
  image: string,
  ...words: readonly string[]
): Promise<readonly Layer[]> {
  const file = place("metadata.json");
  await split(image, `--tag=${name}`, "--no-load", `--metadata-file=${file}`, ...words);
  const { layers }: { readonly layers: readonly Layer[] } = JSON.parse(
    await readFile(file, "utf8"),
  );
  return layers;
}

/** Sorted: what stands below is for the helper to say. */
const names = (layers: readonly Layer[]): readonly string[] =>
  layers.map(({ name }) => name).toSorted();

async function readConfig(reference: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await sandbox.exec("skopeo", "inspect", "--config", "--raw", reference);
  return JSON.parse(text).config;
}

/** Paths of an image with types, modes, owners and sizes. */
async function listFiles(reference: string): Promise<readonly string[]> {
  const container = (await sandbox.exec("buildah", "from", reference)).trim();
  const script =
    'cd "$(buildah mount "$1")" && find . -printf "%p %y%m %U:%G %s %l\n" | sed "s/ d\\([0-7]* [0-9:]*\\) .*/ d\\1/"';
  const text = await sandbox.exec("sh", "-c", script, "sh", container);
  await sandbox.exec("buildah", "rm", container);
  // chroot's empty files below its mounts.
  const own = /^\.\/etc\/(?:hosts|hostname|resolv\.conf) /;
  return text
    .split("\n")
    .filter((one) => !own.test(one))
    .toSorted();
}

const all = ["/bin/busybox", "bash-5.2-1", "curl-7.88-1", "dpkg-database", "other"];

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  await makeSource("7.88-1");
});

describe("an image of the engine", () => {
  test("has a layer for each package, the same files and the same config, and no other user than before", async () => {
    await split(source, "-t", "one:split");
    expect(await listFiles("localhost/one:split")).toEqual(await listFiles(source));
    const [before, after] = [
      `containers-storage:${source}`,
      "containers-storage:localhost/one:split",
    ];
    const keys = ["User", "Env", "Entrypoint", "Labels", "Volumes"];
    const { Labels: labels, ...config } = await readConfig(after);
    const given = await readConfig(before);
    expect(labels).toEqual({ one: "two" });
    for (const key of keys.filter((one) => one !== "Labels"))
      expect(config[key]).toEqual(given[key]);
    expect(config["User"]).toBe("app");
    const docker = place("docker.tar");
    await split(source, "--no-load", "--format=docker", `-o=docker-archive:${docker}:one:x`);
    expect((await readConfig(`docker-archive:${docker}`))["Healthcheck"]).toEqual({
      Test: ["CMD-SHELL", "true"],
    });
  });

  test("is up to date when it is split again; of a newer one under that name packages keep their layers", async () => {
    const first = await splitAs("two:split", source);
    expect(names(first)).toEqual(all);
    const again = await split(source, "-t", "two:split", "--no-load");
    expect(again.builds).toEqual([]);
    await makeSource("7.89-1");
    const second = await splitAs("two:split", source);
    await makeSource("7.88-1");
    expect(names(second)).toEqual(all.map((name) => name.replace("7.88", "7.89")));
    const kept = second.filter(({ digest }) => first.some((one) => one.digest === digest));
    expect(names(kept)).toEqual(["/bin/busybox", "bash-5.2-1", "other"]);
  });
});

describe("an image of another place", () => {
  test("of a registry, to a registry", async () => {
    const name = `${service.proxy.host}/team/app`;
    await sandbox.exec(
      "skopeo",
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `containers-storage:${source}`,
      `docker://${name}:v1`,
    );
    await split(`${name}:v1`, "-t", `${name}:split`, "--push");
    const plan = await runXbuild(sandbox, ["plan", `docker://${name}:split`, "--format=plan"]);
    assertStatus(plan, 0);
    expect(plan.stdout).toContain("dpkg:bash\n");
    expect(plan.stdout).toContain("database:dpkg-database\n");
  });

  test.each([
    ["a layout", "oci", ":x"],
    ["an archive", "docker-archive", ":localhost/x:y"],
  ])("of %s: no name of it is left in the engine", async (_, transport, name) => {
    const text = `${transport}:${place(transport)}${name}`;
    await sandbox.exec("skopeo", "copy", "-q", `containers-storage:${source}`, text);
    const before = await sandbox.exec("buildah", "images", "--format={{.Name}}");
    // A relative path begins where the command does.
    const layers = await splitAs(`of-${transport}:split`, `${transport}:${transport}${name}`);
    expect(names(layers)).toEqual(all);
    const own = /^localhost\/xbuild-/;
    const isForeign = (one: string): boolean => !own.test(one);
    const after = await sandbox.exec("buildah", "images", "--format={{.Name}}");
    expect(new Set(after.split("\n").filter(isForeign))).toEqual(
      new Set(before.split("\n").filter(isForeign)),
    );
    const again = await split(text, "-t", `of-${transport}:split`, "--no-load");
    expect(again.builds).toEqual([]);
  });

  test("of the store, where the engine has none", async () => {
    await splitAs("stored:1", source);
    expect(names(await splitAs("stored:2", "localhost/stored:1", "--kind=dpkg"))).toEqual(all);
  });
});

test("an image without a shell needs the tools of another, and is told so", async () => {
  const context = place("bare");
  await mkdir(context);
  await writeFile(join(context, "file"), "file\n");
  await writeFile(
    join(context, "Containerfile"),
    'FROM scratch\nCOPY file /file\nUSER 7\nCMD ["/file"]\n',
  );
  await sandbox.exec("buildah", "build", "-q", "-t", "localhost/bare", context);
  const failed = await runXbuild(sandbox, ["split", "localhost/bare", "-t", "bare:split"]);
  expect(failed.status).not.toBe(0);
  expect(failed.stderr).toContain("by --tools if this one has none");
  // Nobody has written the file in which that was.
  expect(failed.stderr).not.toMatch(/^-:\d/m);
  await split("localhost/bare", "-t", "bare:split", `--tools=${baseImage}`);
  const config = await readConfig("containers-storage:localhost/bare:split");
  expect([config["User"], config["Cmd"]]).toEqual(["7", ["/file"]]);
  const files = await listFiles("localhost/bare:split");
  expect(files.filter((one) => one.includes("/"))).toEqual(
    await listFiles("localhost/bare").then((own) => own.filter((one) => one.includes("/"))),
  );
});

test("a plan is followed, and another one makes another image", async () => {
  const plan = place("plan");
  await writeFile(plan, "dpkg:bash dpkg:curl\n");
  const words = [source, "-t", "planned:1", "--no-load", `--plan=${plan}`];
  const layers = await splitAs("planned:1", source, `--plan=${plan}`);
  expect(names(layers)).toEqual(["/bin/busybox", "bash-5.2-1 curl-7.88-1", ...all.slice(-2)]);
  expect((await split(...words)).builds).toEqual([]);
  await writeFile(plan, "curl\nbash\n");
  const other = await splitAs("planned:1", source, `--plan=${plan}`);
  expect(other.slice(0, 2).map(({ name }) => name)).toEqual(["curl-7.88-1", "bash-5.2-1"]);
  const shown = await runXbuild(sandbox, ["plan", "planned:1", "--format=json"]);
  assertStatus(shown, 0);
  const { source: origin, layers: rows } = JSON.parse(shown.stdout);
  expect(origin).toBe("recorded");
  expect(rows[0]).toMatchObject({ packages: ["curl-7.88-1"], changesPerMonth: expect.any(Number) });
});

test.each([
  [
    ["localhost/source", "-t", "x", "--plan=/nowhere"],
    125,
    "--plan: the file /nowhere cannot be read",
  ],
  [["oci:nowhere", "-t", "x"], 1, "error[image-not-found]"],
  [["localhost/source", "-t", "x", "--kind=cobol"], 2, "error[step-failed]"],
])("%j fails", async (words, status, message) => {
  const failed = await runXbuild(sandbox, ["split", ...words]);
  expect(failed.stderr).toContain(message);
  expect(failed.status).toBe(status);
});

test("an image whose ONBUILD instructions would run is refused", async () => {
  const context = place("triggers");
  await mkdir(context);
  await writeFile(join(context, "Containerfile"), `FROM ${baseImage}\nONBUILD RUN echo > /made\n`);
  await sandbox.exec(
    "buildah",
    "build",
    "-q",
    "--format=docker",
    "-t",
    "localhost/triggers",
    context,
  );
  const failed = await runXbuild(sandbox, ["split", "localhost/triggers", "-t", "x"]);
  expect(failed.status).toBe(125);
  expect(failed.builds).toEqual([]);
  expect(failed.stderr).toContain("ONBUILD instructions");
});
