import { join } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { isDigest } from "../../src/oci/digest.ts";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listRunSorted } from "../support/stages.ts";

// Several stages on machines that know no more of them than the target's image in a registry.

const sandbox = useSandbox();
const service = useRegistry();

/** A stage that keeps its layer where the previous image has one of its name. */
function keepingStage(name: string): string {
  return `FROM ${baseImage} AS ${name}
OUTPUT /layers
COPY ${name} /in
RUN name=${name}-$(cat /in); if /layers/bin/layer has $name; then /layers/bin/layer keep $name; else mkdir /o && seq 1 9000 | sed "s,^,${name} ," > /o/${name} && cat /in >> /o/${name} && /layers/bin/layer add $name -C /o ${name}; fi
`;
}

const stages = `${keepingStage("a")}${keepingStage("b")}`;
const composed = `${stages}FROM ${baseImage}
OUTPUT --from=a --from=b /layers
RUN /layers/bin/layer add top /etc/passwd
`;
const onTop = `${stages}FROM ${baseImage} AS copier
COPY --from=b /b /b
FROM a
COPY --from=copier /b /copied
COPY top /top
`;

let name: string;
let first: MachineBuild;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  name = `${service.proxy.host}/team/stages:latest`;
  first = await buildHere("first", composed, { a: "1", b: "1" });
});

interface Changes {
  readonly tag?: string;
  readonly args?: readonly string[];
}

/** Builds and pushes as a machine does that has nothing. */
async function buildHere(
  directory: string,
  text: string,
  files: Readonly<Record<string, string>>,
  { tag = name, args = ["--push"] }: Changes = {},
): Promise<MachineBuild> {
  const context = join(sandbox.directory, directory);
  await mkdir(context, { recursive: true });
  for (const [path, content] of Object.entries({ ...files, "Containerfile.x": text })) {
    await writeFile(join(context, path), content);
  }
  service.proxy.reset();
  return buildOnFreshMachine(sandbox, context, ["-t", tag, ...args]);
}

const downloads = (): number => service.proxy.blobDownloads().length;

describe("OUTPUT --from of stages", () => {
  test("nothing changed: the image is adopted, and nothing is built, sent or fetched", async () => {
    const again = await buildHere("first", composed, { a: "1", b: "1" });
    expect(again).toMatchObject({ builds: [], metadata: { digest: first.metadata.digest } });
    expect(again.metadata.upToDate).toBe(true);
    expect(again.calls.filter((call) => / (?:pull|copy) /.test(call))).toEqual([]);
    expect(service.proxy.blobUploads()).toEqual([]);
    // The config.
    expect(downloads()).toBeLessThanOrEqual(1);
  });

  test("one stage changed: the layers of the others are those of the target's image, none of whose bytes come", async () => {
    const changed = await buildHere(
      "second",
      composed,
      { a: "2", b: "1" },
      { args: ["--push", "--no-load"] },
    );
    expect(listRunSorted(changed)).toEqual(["2", "a", "b"]);
    const [a, b, top] = changed.metadata.layers.map(({ digest }) => digest);
    const before = first.metadata.layers.map(({ digest }) => digest);
    expect([b, top]).toEqual(before.slice(1));
    expect(a).not.toBe(before[0]);
    expect(downloads()).toBeLessThanOrEqual(1);
    const sent = service.proxy.blobUploads().filter(({ method }) => method !== "POST");
    // The layer, and the config.
    expect(new Set(sent.map(({ path }) => path)).size).toBe(2);
  });

  test("--cache-from: another name begins with all layers", async () => {
    const tag = name.replace("stages", "other");
    const args = ["--push", `--cache-from=${name}`];
    const other = await buildHere(
      "third",
      composed.replace("layer add top", "layer add low"),
      { a: "2", b: "1" },
      { tag, args },
    );
    expect(other.layers).toEqual(["a-2 kept", "b-1 kept", "low equal"]);
  });
});

describe("FROM a stage", () => {
  test("its layers are fetched where they are only in the registry, and the report tells what it costs", async () => {
    const tag = name.replace("stages", "top");
    const files = { a: "1", b: "1", top: "1" };
    const made = await buildHere("top", onTop, files, { tag });
    const changed = await buildHere("top", onTop, { ...files, top: "2" }, { tag });
    expect(changed.stderr).toMatch(
      /a: Loading|Loading the stage a: 1 layer, \S+ \S+; OUTPUT --from=a needs none of it here/,
    );
    const digests = [made, changed].map(({ metadata }) =>
      metadata.layers.map(({ digest }) => digest),
    );
    expect(digests[1]?.slice(0, 2)).toEqual(digests[0]?.slice(0, 2));
    expect(changed.layers.map((one) => one.split(" ").at(-1))).toEqual(["kept", "equal", "new"]);
    const sent = service.proxy.blobUploads().filter(({ method }) => method !== "POST");
    expect(new Set(sent.map(({ path }) => path)).size).toBe(2);
  });
});

test("a layer that is gone from the registry is made once more", async () => {
  const tag = name.replace("stages", "gone");
  const files = { a: "1", b: "1", top: "1" };
  const made = await buildHere("gone", composed, files, { tag });
  const [gone] = made.metadata.layers;
  if (gone === undefined || !isDigest(gone.digest)) throw new Error("there is no layer");
  await service.registry.deleteBlob("team/gone", gone.digest);
  const again = await buildHere("gone", composed.replace("layer add top", "layer add low"), files, {
    tag,
  });
  expect(again.layers.map((one) => one.split(" ")[0])).toEqual(["a-1", "b-1", "low"]);
  expect(again.stderr).toMatch(/warning\[layer-gone\]/);
  // The others were not made again.
  expect(listRunSorted(again)).toEqual(["2", "a", "a", "b"]);
  for (const { digest } of again.metadata.layers) {
    expect(isDigest(digest) && (await service.registry.hasBlob("team/gone", digest))).toBe(true);
  }
});
