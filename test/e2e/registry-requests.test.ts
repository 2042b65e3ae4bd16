import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { isDigest } from "../../src/oci/digest.ts";
import { openStore } from "../../src/store/layout/open.ts";
import { readLocations, writeLocations } from "../../src/store/records/locations.ts";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { countKinds } from "../support/request-kinds.ts";
import type { RequestLine } from "../support/registry-records.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, runXbuild, startXbuild } from "../support/xbuild.ts";

// What a registry is asked, counted: docs/benchmarks.md says why each is needed. And that less is never too little.

const sandbox = useSandbox();
const service = useRegistry();

const count = 20;
let context: string;
let store: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = await makeContext("");
  store = join(sandbox.directory, "own-store");
});
afterEach(() => service.proxy.clearFaults());

/** As many layers, of content that no other context has. */
async function makeContext(content: string, step = ""): Promise<string> {
  const directory = await mkdtemp(join(sandbox.directory, "parts-"));
  const text = `FROM ${baseImage}
OUTPUT /layers
${step}RUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/p*/.
CMD ["/bin/true"]
`;
  await writeFile(join(directory, "Containerfile.x"), text);
  for (let at = 1; at <= count; at += 1) {
    await mkdir(join(directory, `p${at}`));
    await writeFile(join(directory, `p${at}`, `file${at}`), `${content} ${at}\n`);
  }
  return directory;
}

let changes = 0;

/** Another content of one layer. */
async function change(directory = context): Promise<void> {
  changes += 1;
  await writeFile(join(directory, "p5", "file5"), `changed ${changes}\n`);
}

const name = (repository: string): string => `${service.proxy.host}/${repository}`;

interface Asked extends MachineBuild {
  readonly kinds: ReturnType<typeof countKinds>;
}

interface Pushed {
  readonly directory?: string;
  readonly args?: readonly string[];
  /** undefined: of a machine that has built nothing. */
  readonly on?: string | undefined;
}

/** A build that pushes, and what it asked. */
async function push(
  reference: string,
  { directory = context, args = [], ...machine }: Pushed = {},
): Promise<Asked> {
  const on = "on" in machine ? machine.on : store;
  service.proxy.reset();
  const words = ["-t", name(reference), "--push", "--no-load", ...args];
  const options = on === undefined ? {} : { store: on };
  const built = await buildOnFreshMachine(sandbox, directory, words, options);
  return { ...built, kinds: countKinds(service.proxy.requests) };
}

/** An image that anybody can pull. */
async function pull(reference: string): Promise<void> {
  const layout = join(await mkdtemp(join(sandbox.directory, "pulled-")), "layout");
  await sandbox.exec("skopeo", "copy", "-q", `docker://${name(reference)}`, `oci:${layout}:x`);
}

/** The blobs that each push sends. */
const upload = (blobs: number): Readonly<Record<string, number>> => ({
  "POST upload": blobs,
  "PATCH upload": blobs,
  "PUT upload": blobs,
});
const begin = { "GET ping": 1, "GET tag": 1 };
const previous = { ...begin, "GET blob": 1 };

describe("one machine", () => {
  test("a first push: each layer is looked for and sent, over eight connections at most", async () => {
    const { kinds } = await push("one/app:1");
    expect(kinds).toEqual({
      ...begin,
      "HEAD blob": count,
      ...upload(count + 1),
      "PUT tag": 1,
    });
    expect(service.proxy.mostConnections()).toBeLessThanOrEqual(8);
  });

  test("nothing changed: one question for all layers", async () => {
    const { kinds } = await push("one/app:1");
    expect(kinds).toEqual({ ...begin, "PUT manifest by digest": 1 });
  });

  test("another tag: its manifest is there under its digest", async () => {
    const { kinds } = await push("one/app:2");
    expect(kinds).toEqual({ ...begin, "HEAD manifest by digest": 1, "PUT tag": 1 });
  });

  test("another repository: layers are mounted", async () => {
    const { kinds } = await push("one/other:1");
    expect(kinds).toEqual({ ...begin, "POST mount": count, ...upload(1), "PUT tag": 1 });
    await pull("one/other:1");
  });

  test("one layer changed: it alone is looked for and sent", async () => {
    await change();
    const { kinds } = await push("one/app:1");
    expect(kinds).toEqual({ ...begin, "HEAD blob": 1, ...upload(2), "PUT tag": 1 });
    await pull("one/app:1");
  });

  test("one layer changed, under a new tag", async () => {
    await change();
    const { kinds } = await push("one/app:3");
    const asked = { "HEAD manifest by digest": 1, "HEAD blob": 1 };
    expect(kinds).toEqual({ ...begin, ...asked, ...upload(2), "PUT tag": 1 });
  });

  test("layers that were seen long ago are asked for", async () => {
    const { metadata } = await push("one/app:3");
    if (!isDigest(metadata.digest)) throw new Error("there is no digest");
    const opened = await openStore(store);
    const known = await readLocations(opened, metadata.digest);
    expect(known.every(({ checked }) => checked !== undefined)).toBe(true);
    const old = known.map(({ checked = 0, ...one }) =>
      Object.assign(one, { checked: checked - 2 * 60 * 60_000 }),
    );
    await writeLocations(opened, metadata.digest, old);
    const { kinds } = await push("one/app:3");
    // And the config.
    expect(kinds).toEqual({ ...begin, "HEAD blob": count + 1 });
    // From then on they have been seen.
    expect((await push("one/app:3")).kinds).toEqual({ ...begin, "PUT manifest by digest": 1 });
  });
});

describe("a fresh machine", () => {
  beforeAll(() => push("fresh/app:1"));

  test("nothing changed: the previous image is the result when its layers are there", async () => {
    const { kinds, metadata } = await push("fresh/app:1", { on: undefined });
    expect(kinds).toEqual({ ...previous, "HEAD blob": count + 1 });
    expect(metadata.upToDate).toBe(true);
  });

  test("one layer changed, --cache-from: the others are looked for once, and mounted", async () => {
    await change();
    const args = ["--cache-from", name("fresh/app:1")];
    const { kinds } = await push("fresh/other:1", { on: undefined, args });
    const tags = { "GET ping": 1, "GET tag": 2, "GET blob": 1, "PUT tag": 1 };
    // One of them is the changed one, which nobody knew before the step had run.
    const asked = { "HEAD blob": count + 1, "POST mount": count - 1 };
    expect(kinds).toEqual({ ...tags, ...asked, ...upload(2) });
    await pull("fresh/other:1");
  });

  test("the layers are looked for while the build's step runs", async () => {
    const gate = await mkdtemp(join(sandbox.directory, "gate-"));
    const wait = "RUN echo be''gun; while [ ! -e /gate/open ]; do sleep 0.05; done\n";
    const gated = await makeContext("gated", wait);
    await writeFile(join(gate, "open"), "");
    const reference = name("fresh/gated:1");
    const words = ["-v", `${gate}:/gate`, "-t", reference, "--push", "--no-load", gated];
    const env = (machine: string): Readonly<Record<string, string>> => ({
      XBUILD_STORE: join(sandbox.directory, `gated-${machine}`),
    });
    assertStatus(await runXbuild(sandbox, words, { env: env("first") }), 0);
    await rm(join(gate, "open"));
    await change(gated);
    service.proxy.reset();
    const started = startXbuild(sandbox, words, { env: env("second") });
    await started.says("begun");
    await expect
      .poll(() => service.proxy.requests.filter(isAnsweredLook).length, { timeout: 60_000 })
      .toBe(count);
    await writeFile(join(gate, "open"), "");
    assertStatus(await started.ended, 0);
    expect(countKinds(service.proxy.requests)["HEAD blob"]).toBe(count + 1);
  });

  test("a registry that does not answer meanwhile fails nothing, and holds nothing up", async () => {
    const failing = await makeContext("failing");
    await push("fresh/failing:1", { directory: failing });
    await writeFile(
      join(failing, "Containerfile.x"),
      `FROM ${baseImage}\nOUTPUT /layers\nRUN false\n`,
    );
    service.proxy.fault({ match: ({ method }) => method === "HEAD", hang: true });
    const words = ["-t", name("fresh/failing:1"), "--push", "--no-load", failing];
    const env = {
      XBUILD_STORE: join(sandbox.directory, "failing-store"),
      XBUILD_REGISTRY_TIMEOUT: "3600",
    };
    const { status, stderr } = await runXbuild(sandbox, words, { env });
    expect(status).not.toBe(0);
    expect(stderr).not.toMatch(/registry-/);
    expect(service.proxy.requests.some(({ method }) => method === "HEAD")).toBe(true);
  });
});

const isAnsweredLook = ({
  method,
  status,
}: RequestLine & { readonly status?: number | undefined }) =>
  method === "HEAD" && status !== undefined;

describe("a registry that is not what was seen", () => {
  test("one that was emptied gets all again", async () => {
    const emptied = await makeContext("emptied");
    await push("emptied/app:1", { directory: emptied });
    await service.registry.empty();
    await change(emptied);
    const { layers } = await push("emptied/app:1", { directory: emptied });
    expect(layers).toHaveLength(count);
    await pull("emptied/app:1");
    await service.registry.empty();
    await push("emptied/app:1", { directory: emptied });
    await pull("emptied/app:1");
  });

  test("one that has lost a layer refuses the manifest, is asked for all, and gets it", async () => {
    const broken = await makeContext("broken");
    const { metadata } = await push("broken/app:1", { directory: broken });
    const digest = metadata.layers[0]?.digest;
    if (!isDigest(digest)) throw new Error("there is no layer");
    await service.registry.deleteBlob("broken/app", digest);
    await change(broken);
    const { kinds } = await push("broken/app:1", { directory: broken });
    const asked = { "HEAD blob": 1 + count + 1 };
    // The changed layer, what was lost, and the config twice.
    expect(kinds).toEqual({ ...begin, ...asked, ...upload(4), "PUT tag": 2 });
    await pull("broken/app:1");
    // And it is known from then on.
    const again = await push("broken/app:1", { directory: broken });
    expect(again.kinds).toEqual({ ...begin, "PUT manifest by digest": 1 });
  });

  test.each(["the same tag", "another tag"])(
    "one that has lost a config gets it: %s",
    async (tag) => {
      const directory = await makeContext(`config ${tag}`);
      const { metadata } = await push("config/app:1", { directory });
      if (!isDigest(metadata.configDigest)) throw new Error("there is no config");
      await service.registry.deleteBlob("config/app", metadata.configDigest);
      const reference = tag === "the same tag" ? "config/app:1" : "config/app:2";
      await push(reference, { directory });
      await pull(reference);
      expect(await service.registry.hasBlob("config/app", metadata.configDigest)).toBe(true);
    },
  );

  test("a tag that was moved while the steps ran is moved back, and what was lost meanwhile is sent", async () => {
    const gate = await mkdtemp(join(sandbox.directory, "moved-"));
    const wait = "RUN echo be''gun; while [ ! -e /gate/open ]; do sleep 0.05; done\n";
    const directory = await makeContext("moved", wait);
    await writeFile(join(gate, "open"), "");
    const reference = name("moved/app:1");
    const env = { XBUILD_STORE: join(sandbox.directory, "moved-store") };
    const words = ["-v", `${gate}:/gate`, "-t", reference, "--push", "--no-load", "--no-cache"];
    const build = [...words, directory];
    assertStatus(await runXbuild(sandbox, build, { env }), 0);
    const digest = async (): Promise<string> =>
      sandbox.exec("skopeo", "inspect", "--format", "{{.Digest}}", `docker://${reference}`);
    const pushed = await digest();
    const meanwhile = async (action: () => Promise<unknown>): Promise<void> => {
      await rm(join(gate, "open"));
      const started = startXbuild(sandbox, build, { env });
      await started.says("begun");
      await action();
      await writeFile(join(gate, "open"), "");
      assertStatus(await started.ended, 0);
      expect(await digest()).toBe(pushed);
      await pull("moved/app:1");
    };
    await push("moved/other:1", { directory: await makeContext("other") });
    const other = `docker://${name("moved/other:1")}`;
    await meanwhile(() => sandbox.exec("skopeo", "copy", "-q", other, `docker://${reference}`));
    await meanwhile(() => service.registry.empty());
  });

  test("one that takes no manifest by its digest is asked for each layer", async () => {
    const plain = await makeContext("plain");
    await push("plain/app:1", { directory: plain });
    service.proxy.fault({
      match: ({ method, path }) => method === "PUT" && path.includes("/manifests/sha256:"),
      status: 405,
    });
    const { kinds, metadata } = await push("plain/app:1", { directory: plain });
    expect(kinds).toEqual({ ...begin, "PUT manifest by digest": 1, "HEAD blob": count + 1 });
    expect(metadata.upToDate).toBe(true);
  });
});

const onto = (): readonly string[] => ["--onto", `docker://${name("bases/base:2")}`];

async function rebase(...args: readonly string[]): Promise<ReturnType<typeof countKinds>> {
  service.proxy.reset();
  const env = { XBUILD_STORE: await mkdtemp(join(sandbox.directory, "rebase-store-")) };
  assertStatus(await runXbuild(sandbox, ["rebase", ...args], { env }), 0);
  return countKinds(service.proxy.requests);
}

describe("rebase", () => {
  beforeAll(async () => {
    for (const version of ["1", "2"]) {
      const base = await mkdtemp(join(sandbox.directory, "base-"));
      const step = `RUN mkdir -p /made/base && echo ${version} > /made/base/version && /layers/bin/layer add base -C /made base`;
      await writeFile(
        join(base, "Containerfile.x"),
        `FROM ${baseImage}\nOUTPUT /layers\n${step}\n`,
      );
      await push(`bases/base:${version}`, { directory: base, on: undefined });
    }
    const directory = await makeContext("rebased");
    const file = join(directory, "Containerfile.x");
    const each = "/layers/bin/layer each --name '{/}' /context/p*/.";
    await writeFile(
      file,
      `FROM ${baseImage}\nOUTPUT --from=${name("bases/base:1")} /layers\nRUN --mount=type=bind,target=/context ${each}\n`,
    );
    await push("rebase/app:1", { directory, on: undefined });
  });

  test("in a registry: each document is read once, no layer moves", async () => {
    const kinds = await rebase(`docker://${name("rebase/app:1")}`, ...onto());
    expect(kinds).toEqual({
      "GET ping": 1,
      // The image, the new base, and by its digest the old one, with their configs.
      "GET tag": 2,
      "GET manifest by digest": 1,
      "GET blob": 3,
      "HEAD blob": count + 1,
      "POST mount": 1,
      ...upload(1),
      "PUT tag": 1,
    });
    await pull("rebase/app:1");
  });

  test("what stands on that base already", async () => {
    const kinds = await rebase(`docker://${name("rebase/app:1")}`, ...onto());
    expect(kinds).toMatchObject({ "GET ping": 1, "GET tag": 2, "GET blob": 2 });
  });
});
