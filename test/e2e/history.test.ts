import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, type Outcome, runXbuild } from "../support/xbuild.ts";

// --history: earlier images are a release history, of which steps hear. Manifests and configs are read, and no layer.

const sandbox = useSandbox();
const service = useRegistry();
const image = (): string => `${service.proxy.host}/team/releases`;

beforeAll(() => configureAccess(sandbox.directory, service.proxy));

/** A layer for each name, as printf writes it, and what the helper hears is printed. */
async function build(
  content: string,
  names: readonly string[],
  ...words: readonly string[]
): Promise<Outcome> {
  const context = join(sandbox.directory, content);
  const adds = names.map((name) => `/layers/bin/layer add "$(printf '${name}')" /made; `).join("");
  await mkdir(context, { recursive: true });
  await writeFile(
    join(context, "Containerfile"),
    `FROM ${baseImage}\nRUN echo ${content} > /made\nOUTPUT /layers\nRUN ${adds}` +
      `[ ! -e /layers/bin/history ] || sed 's/^/heard /' /layers/bin/history\n`,
  );
  const outcome = await runXbuild(sandbox, ["build", "--no-load", ...words, context]);
  assertStatus(outcome, 0);
  return outcome;
}

/** What a build's steps heard: references, dates and names, without digests. */
function listHeard({ stdout }: Outcome): readonly string[] {
  return [...stdout.matchAll(/^heard (.*)$/gm)].map(([, line = ""]) =>
    line.replaceAll(/sha256:[0-9a-f]{64}/g, "DIGEST"),
  );
}

async function release(tag: string, seconds: number, name: string): Promise<void> {
  await build(tag, [name], `--timestamp=${seconds}`, "--push", `-t=${image()}:${tag}`);
}

test("tags that fit, an image of the store and a layout, the oldest first; each config is asked once, and no layer", async () => {
  await release("v9", 1_600_000_000, "a-1 b-1");
  await release("v10", 1_500_000_000, String.raw`a\tb\\c\nrelease`);
  await release("other", 1_550_000_000, "x-1");
  const layout = `oci:${join(sandbox.directory, "layout")}:name`;
  const from = `docker://${image()}`;
  await sandbox.exec(
    "skopeo",
    "copy",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    `${from}:v9`,
    `${from}:v9.1`,
  );
  await sandbox.exec("skopeo", "copy", "--src-tls-verify=false", `${from}:v9`, layout);
  await build("stored", ["s-1"], "-t=stored:1", "--timestamp=0");
  // Where nothing of them is in the store.
  const elsewhere = { XBUILD_STORE: join(sandbox.directory, "elsewhere") };
  service.proxy.reset();
  const context = join(sandbox.directory, "v9");
  const words = ["--no-load", `--history=${image()}:v*,localhost/gone:1`, `--history=${layout}`];
  const all = ["build", ...words, "-t=next:1", context];
  const heard = await runXbuild(sandbox, all, { env: elsewhere });
  assertStatus(heard, 0);
  expect(listHeard(heard)).toEqual([
    `release\t1500000000\tDIGEST\t${image()}:v10`,
    String.raw`layer	DIGEST	a\tb\\c\nrelease`,
    `release\t1600000000\tDIGEST\t${image()}:v9`,
    "layer\tDIGEST\ta-1 b-1",
  ]);
  expect(heard.stderr).toMatch(/Release history: 2 images/);
  expect(heard.stderr).toContain("warning[history-unreadable]: --history localhost/gone:1");
  const asked = service.proxy.requests.map(({ path }) => path);
  const tags = asked.filter((one) => one.includes("/manifests/"));
  expect(tags.map((one) => one.split("/").at(-1) ?? "").toSorted()).toEqual(["v10", "v9", "v9.1"]);
  const configs = asked.filter((one) => one.includes("/blobs/"));
  expect([configs.length, new Set(configs).size]).toEqual([2, 2]);

  service.proxy.reset();
  const again = await runXbuild(sandbox, all, { env: elsewhere });
  assertStatus(again, 0);
  expect(again.builds).toEqual([]);
  expect(service.proxy.requests).toEqual([]);

  const local = await build("local", ["s-2"], "--history=localhost/stored:*");
  expect(listHeard(local)).toEqual([
    "release\t-\tDIGEST\tlocalhost/stored:1",
    "layer\tDIGEST\ts-1",
  ]);
});

test("a registry that gives nothing is a warning, and what the store has is heard", async () => {
  service.proxy.fault({ status: 403, match: ({ path }) => path.includes("/tags/list") });
  const built = await build("closed", ["c-1"], `--history=${image()}:*`, "--retry=0");
  service.proxy.clearFaults();
  expect(built.stderr).toContain("warning[history-unreadable]");
  expect(listHeard(built).filter((line) => line.startsWith("release"))).toEqual([
    `release\t1500000000\tDIGEST\t${image()}:v10`,
    `release\t1550000000\tDIGEST\t${image()}:other`,
    `release\t1600000000\tDIGEST\t${image()}:v9`,
  ]);
});

test.each(["--history=registry.example/a*:v1", "--history=registry.example/app*", "--history="])(
  "%s is refused",
  async (word) => {
    const context = join(sandbox.directory, "refused");
    await mkdir(context, { recursive: true });
    await writeFile(join(context, "Containerfile"), `FROM ${baseImage}\nOUTPUT /layers\n`);
    const refused = await runXbuild(sandbox, ["build", word, context]);
    expect(refused.status).toBe(125);
    expect(refused.stderr).toContain("--history");
  },
);
