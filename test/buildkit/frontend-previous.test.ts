import { createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
  type BuildKitDaemon,
  removeDaemonFiles,
  startBuildKit,
} from "../support/buildkit-daemon.ts";
import { buildWithBuildx } from "../support/frontend.ts";
import { useFrontendLab } from "./frontend-lab.ts";

// Previous images through the frontend: what is kept, and what moves.

const lab = useFrontendLab();

/** Layers of 20 kB that no two builds have the same of. */
function many(count: number): string {
  return `FROM ${lab.base}
ARG CHANGED=none
OUTPUT /layers
RUN for n in $(seq ${count}); do \\
      if [ "$CHANGED" != none ] && [ "$CHANGED" != "$n" ]; then /layers/bin/layer keep "p$n"; continue; fi; \\
      mkdir -p /p$n && head -c 20000 /dev/urandom > /p$n/data && /layers/bin/layer add "p$n" /p$n; \\
    done
`;
}

/** Does something with a builder that has nothing yet, which is the builder of that time. */
async function onFreshDaemon<T>(action: (fresh: BuildKitDaemon) => Promise<T>): Promise<T> {
  const directory = await mkdtemp("/var/tmp/xbuild-fresh-");
  const daemon = await startBuildKit(directory);
  try {
    return await action(daemon);
  } finally {
    await daemon.stop();
    await removeDaemonFiles(directory);
  }
}

/** `buildctl build` of a file with OUTPUT. */
async function buildOn(
  { address, programs }: BuildKitDaemon,
  text: string,
  words: readonly string[],
): Promise<void> {
  const context = await lab.write({ text });
  const locals = [`--local=context=${context}`, `--local=dockerfile=${context}`];
  const flags = ["build", "--frontend=dockerfile.v0", "--progress=plain", ...locals];
  await execa(join(programs, "buildctl"), [`--addr=${address}`, ...flags, ...words]);
}

describe("layers that are kept", () => {
  test("one of 120 replaced, by a builder that has nothing: no layer is fetched, and one is sent", async () => {
    await lab.push("big:1", { text: many(120) });
    const before = await lab.find("big:1");
    for (const [repository, kept] of [
      ["big", "there"],
      ["elsewhere", "mounted"],
    ] as const) {
      const name = `${repository}:2`;
      await onFreshDaemon(async (daemon) => {
        lab.proxy.reset();
        await buildOn(daemon, many(120), [
          `--import-cache=type=registry,ref=${lab.proxy.host}/big:1`,
          "--opt=build-arg:CHANGED=60",
          `--output=type=image,name=${lab.proxy.host}/${name},push=true`,
        ]);
      });
      const after = await lab.find(name);
      const layers = before.manifest.layers.map(({ digest }) => digest);
      const changed = after.manifest.layers.filter(({ digest }) => !layers.includes(digest));
      expect(changed).toHaveLength(1);
      expect(after.manifest.layers[59]).toEqual(changed[0]);
      // The base's are no layers of the image, but of what the steps run in.
      const fetched = lab.proxy
        .blobDownloads()
        .filter(({ path }) => layers.some((one) => path.endsWith(one)));
      expect(fetched).toEqual([]);
      expect(lab.proxy.uploaded()).toBeLessThan((changed[0]?.size ?? 0) + 64 * 1024);
      const mounted = lab.proxy.mounts().filter(({ status }) => status === 201);
      expect(mounted).toHaveLength(kept === "mounted" ? 119 : 0);
    }
  });

  test("layers above a changed one, of an image that this builder has made: each is itself", async () => {
    const text = `FROM ${lab.base}
ARG B=1
OUTPUT /layers
RUN cd /layers/output/layers && mkdir 1-a 2-b 3-c 4-d && echo a > 1-a/a && echo $B > 2-b/f && echo 1 > 3-c/f && echo d > 4-d/d && : > 4-d/.wh.a && find . | xargs touch -h -d 2020-01-01
`;
    await lab.push("own:1", { text });
    const first = (await lab.find("own:1")).manifest.layers;
    for (const n of [2, 3, 4]) {
      const words = [`--build-arg=B=${n}`, `--cache-from=${lab.proxy.host}/own:${n - 1}`];
      await lab.push(`own:${n}`, { text, words });
      const { manifest, config } = await lab.find(`own:${n}`);
      expect(config.history?.map((one) => one.created_by)).toEqual(["a", "b", "c", "d"]);
      expect(manifest.layers[0]).toEqual(first[0]);
      expect(manifest.layers[1]).not.toEqual(first[1]);
      expect(manifest.layers.slice(2)).toEqual(first.slice(2));
    }
  });

  test("equal content is the same image, with other times and without the cache", async () => {
    const text = `FROM ${lab.base}
OUTPUT /layers
RUN mkdir /o && echo one > /o/one && echo two > /o/two && /layers/bin/layer add one -C /o one && /layers/bin/layer add two -C /o two
ENV A=b
`;
    const first = await lab.push("equal:1", { text });
    const words = ["--no-cache", `--cache-from=${lab.proxy.host}/equal:1`];
    expect(await lab.push("equal:2", { text, words })).toBe(first);
    const changed = text.replace("echo two", "echo other");
    expect(await lab.push("equal:3", { text: changed, words })).not.toBe(first);
    const [one, three] = [await lab.find("equal:1"), await lab.find("equal:3")];
    expect(three.manifest.layers[0]).toEqual(one.manifest.layers[0]);
    expect(three.manifest.layers[1]).not.toEqual(one.manifest.layers[1]);
    expect(three.config.history?.map((entry) => entry.created_by)).toEqual([
      "one",
      "two",
      "ENV A=b",
    ]);
  });

  test("the previous image by an argument; one that is not there; a cache that is none", async () => {
    const text = `FROM ${lab.base}\nOUTPUT /layers\nRUN mkdir /o && date > /o/x && /layers/bin/layer has x && /layers/bin/layer keep x || /layers/bin/layer add x -C /o x\n`;
    const { host } = lab.proxy;
    const cache = `--cache-to=type=registry,ref=${host}/argued:cache,mode=max`;
    const first = await lab.push("argued:1", { text, words: [cache] });
    const argument = `--build-arg=XBUILD_CACHE_FROM=${host}/argued:gone,${host}/argued:1`;
    const from = `--cache-from=type=registry,ref=${host}/argued:cache`;
    const words = [argument, from, "--no-cache"];
    const made = await lab.build({ text, words });
    expect(made.text).not.toContain("previous-unreadable");
    expect(await lab.push("argued:2", { text, words })).toBe(first);
  });

  test("earlier images by an argument: steps hear what their layers were called; one that is not there; no patterns", async () => {
    const { host } = lab.proxy;
    const adds = `FROM ${lab.base}\nOUTPUT /layers\nRUN /layers/bin/layer add "a-1 b-1" /etc/passwd\n`;
    await lab.push("heard:1", { text: adds });
    const text = `${adds}RUN sed 's/^/heard /' /layers/bin/history\n`;
    const words = [`--build-arg=XBUILD_HISTORY=${host}/heard:1,${host}/heard:gone`];
    const made = await lab.build({ text, words });
    expect(made.status).toBe(0);
    expect(made.text).toMatch(/heard release\t\d+\tsha256:[0-9a-f]{64}\t\S+\/heard:1/);
    expect(made.text).toMatch(/heard layer\tsha256:[0-9a-f]{64}\ta-1 b-1/);
    expect(made.text).toContain(`warning[history-unreadable]: XBUILD_HISTORY: ${host}/heard:gone`);
    const refused = await lab.build({
      text,
      words: [`--build-arg=XBUILD_HISTORY=${host}/heard:*`],
    });
    expect(refused.status).not.toBe(0);
    expect(refused.text).toContain("BuildKit lists no tags");
  });

  test("another label is another image, whatever it is called", async () => {
    const text = `FROM ${lab.base}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
    await lab.push("label:1", { text, words: ["--label=created=one"] });
    const words = ["--label=created=two", `--cache-from=${lab.proxy.host}/label:1`];
    await lab.push("label:2", { text, words });
    const [one, two] = [await lab.find("label:1"), await lab.find("label:2")];
    expect(two.config.config?.Labels).toEqual({ created: "two" });
    expect(two.manifest.layers).toEqual(one.manifest.layers);
    expect(two.config.created).toBe(one.config.created);
  });

  test("images that are none of ours to read are left out, with a warning", async () => {
    const plain = await mkdtemp(join(lab.sandbox.directory, "plain-"));
    await writeFile(join(plain, "Dockerfile"), "FROM scratch\nLABEL a=b\n");
    const empty = `${lab.proxy.host}/empty:1`;
    const words = [`--output=type=image,name=${empty},push=true`];
    expect(await buildWithBuildx(lab.buildKit, { context: plain, words })).toMatchObject({
      status: 0,
    });
    const odd = await makeOdd();
    const text = `FROM ${lab.base}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
    const from = `--build-arg=XBUILD_CACHE_FROM=${empty},${odd}`;
    const made = await lab.build({ text, words: [from] });
    expect(made.status).toBe(0);
    expect(made.text).toContain(`warning[previous-unreadable]: the previous image ${odd}`);
    expect(made.text).not.toContain(`warning[previous-unreadable]: the previous image ${empty}`);
  });

  test("an epoch: one digest, on a builder that has nothing, too, with a previous image and without", async () => {
    const text = `FROM ${lab.base}\nOUTPUT /layers\nRUN mkdir -p /o/d && for n in a b c; do echo $n > /o/d/$n; /layers/bin/layer add $n -C /o d/$n; done\n`;
    const words = ["--build-arg=SOURCE_DATE_EPOCH=1600000000"];
    const first = await lab.push("epoch:1", { text, words });
    await onFreshDaemon((daemon) =>
      buildOn(daemon, text, [
        "--opt=build-arg:SOURCE_DATE_EPOCH=1600000000",
        `--output=type=image,name=${lab.proxy.host}/epoch:2,push=true`,
      ]),
    );
    expect((await lab.find("epoch:2")).digest).toBe(first);
    const cached = [...words, "--no-cache", `--cache-from=${lab.proxy.host}/epoch:1`];
    expect(await lab.push("epoch:3", { text, words: cached })).toBe(first);
  });
});

/** An image whose time is none. */
async function makeOdd(): Promise<string> {
  const layout = await mkdtemp(join(lab.sandbox.directory, "odd-"));
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const put = async (value: object): Promise<{ digest: string; size: number }> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(layout, "blobs/sha256", hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const type = "application/vnd.oci.image";
  const rootfs = { type: "layers", diff_ids: [] };
  const config = await put({ architecture: "amd64", os: "linux", created: "yesterday", rootfs });
  const described = { mediaType: `${type}.config.v1+json`, ...config };
  const mediaType = `${type}.manifest.v1+json`;
  const image = { schemaVersion: 2, mediaType, config: described, layers: [] };
  const manifests = [{ mediaType, ...(await put(image)) }];
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const name = `${lab.proxy.host}/odd:1`;
  const words = ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layout}`, `docker://${name}`];
  await execa("skopeo", words);
  return name;
}
