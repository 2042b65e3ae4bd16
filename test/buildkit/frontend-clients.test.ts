import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../src/oci/model.ts";
import { buildWithBuildx } from "../support/frontend.ts";
import { useFrontendLab } from "./frontend-lab.ts";

// What clients of BuildKit ask the frontend for, and what they are told.

const lab = useFrontendLab();

describe("what clients are told", () => {
  test("a wrong OUTPUT, with its line", async () => {
    const { status, text } = await lab.build({
      text: `FROM ${lab.base}\nOUTPUT --wrong /layers\nRUN true\n`,
    });
    expect(status).not.toBe(0);
    expect(text).toContain(">>> OUTPUT --wrong /layers");
    expect(text).toContain("error[output-flag-unknown]: OUTPUT has no flag --wrong");
  });

  test("a step that fails, as it is in the file, with its line", async () => {
    const step = `RUN echo before; \\\n  exit 7`;
    const { text } = await lab.build({ text: `FROM ${lab.base}\nOUTPUT /layers\n${step}\n` });
    expect(text).toContain(">>> RUN echo before; \\\n");
    expect(text).toMatch(/did not complete successfully: exit code: 7/);
    expect(text).not.toContain("xbuild-layers");
  });

  test("a name that no image has, in the words of the helper", async () => {
    const step = "RUN /layers/bin/layer keep missing";
    const { status, text } = await lab.build({
      text: `FROM ${lab.base}\nOUTPUT /layers\n${step}\n`,
    });
    expect(status).not.toBe(0);
    expect(text).toContain("layer: keep missing: no previous image has a layer of that name");
  });

  test("a base that is not there, with the lines of the file as they are", async () => {
    const { status, text } = await lab.build({
      text: `FROM ${lab.proxy.host}/missing:1\nOUTPUT /layers\nRUN true\n`,
    });
    expect(status).not.toBe(0);
    expect(text).toMatch(/>>> FROM \S+\/missing:1\n.*\| {5}OUTPUT \/layers\n/);
  });

  test.each([
    ["no layers", "true", "layers-none"],
    ["no output", "rm -rf /layers/output", "layers-none"],
    ["a link in its place", "rm -rf /layers/output && ln -s /etc /layers/output", "layers-none"],
    ["blobs", "touch /layers/output/blobs/sha256/x", "frontend-unsupported"],
    ["a layer that is a FIFO", "mkfifo /layers/output/layers/x.tar", "output-file-type"],
  ])("%s: refused, at OUTPUT's line", async (_, step, code) => {
    const { status, text } = await lab.build({
      text: `FROM ${lab.base}\nOUTPUT /layers\nRUN ${step}\n`,
    });
    expect(status).not.toBe(0);
    expect(text).toContain(`error[${code}]`);
    expect(text).toContain(">>> OUTPUT /layers");
  });

  test("attributes that are lost, by their paths", async () => {
    const copy = "mkdir -p /layers/output && cp /x.tar /layers/output/layers/x.tar";
    const context = await mkdtemp(join(lab.sandbox.directory, "attributes-"));
    await writeFile(join(context, "a"), "a");
    await execa("setfattr", ["-n", "user.one", "-v", "1", join(context, "a")]);
    const tar = join(context, "x.tar");
    await execa("tar", ["-C", context, "--xattrs", "--format=posix", "-cf", tar, "a"]);
    const text = `FROM ${lab.base}\nOUTPUT /layers\nCOPY x.tar /\nRUN ${copy}\n`;
    await writeFile(join(context, "Dockerfile"), `# syntax=${lab.frontend}\n${text}`);
    const made = await buildWithBuildx(lab.buildKit, { context, words: ["--debug"] });
    expect(made.text).toContain("attributes-lost");
  });

  test("checks, targets and outlines", async () => {
    const text = `FROM ${lab.base} as env\nARG A=1\nCMD ["lost"]\nOUTPUT /layers\nRUN true\nFROM env\n`;
    const check = await lab.build({ text, words: ["--call=check"] });
    expect(check.text).toContain("FromAsCasing");
    expect(check.text).toContain("WARNING: output-config-lost");
    expect(check.text).toContain('>>> CMD ["lost"]');
    const targets = await lab.build({ text, words: ["--call=targets"] });
    expect(targets.text).toMatch(/^env/m);
    const outline = await lab.build({ text, words: ["--call=outline", "--target=env"] });
    expect(outline.text).toMatch(/^A +1/m);
    const wrong = await lab.build({
      text: `FROM ${lab.base}\nOUTPUT\nRUN true\n`,
      words: ["--call=check"],
    });
    expect(wrong.text).toContain("output-path-missing");
  });
});

test("targets of bake that stand on each other; checks that the file asks for", async () => {
  const output = `FROM fin AS f\nFROM ${lab.base}\nCOPY --from=f /made /o\nOUTPUT --inherit-config /l\nRUN /l/bin/layer add o o\n`;
  const syntax = `# syntax=${lab.frontend}\n`;
  const target = {
    fin: { "dockerfile-inline": `${syntax}FROM ${lab.base}\nRUN echo 1 > /made\n` },
    chain: { "dockerfile-inline": `${syntax}${output}`, contexts: { fin: "target:fin" } },
  };
  const context = await lab.write({ text: "", files: { "bake.json": JSON.stringify({ target }) } });
  const { clients, builder, env } = lab.buildKit;
  const words = ["bake", `--builder=${builder}`, `--file=${join(context, "bake.json")}`, "chain"];
  const made = await execa(join(clients, "docker-buildx"), [...words, "--progress=plain"], {
    cwd: context,
    env: { ...env },
    all: true,
  });
  expect(made.all).toMatch(/layers\] o\n/);
  const text = `# check=error=true\nFROM ${lab.base}\nMAINTAINER x\nOUTPUT /layers\nRUN mkdir /layers/output/layers/a\n`;
  const refused = await lab.build({ text });
  expect(refused.status).not.toBe(0);
  expect(refused.text).toContain("lint violation found");
});

test("several platforms, each with its previous image", async () => {
  const text = `FROM --platform=$BUILDPLATFORM ${lab.base}
ARG TARGETARCH
OUTPUT /layers
RUN mkdir /o && echo $TARGETARCH > /o/arch && /layers/bin/layer add arch-$TARGETARCH -C /o arch
`;
  const words = ["--platform=linux/amd64,linux/arm64"];
  const first = await lab.push("list:1", { text, words });
  const again = [...words, "--no-cache", `--cache-from=${lab.proxy.host}/list:1`];
  expect(await lab.push("list:2", { text, words: again })).toBe(first);
});

test("stages on one image: what they have in common stands once", async () => {
  const text = `FROM ${lab.base} AS env
FROM env AS one
RUN echo 1 > /one
FROM env AS two
RUN echo 2 > /two
FROM env
OUTPUT --from=one --from=two /layers
RUN /layers/bin/layer add own /etc/passwd
`;
  await lab.push("common:1", { text });
  const base = (await lab.find("base:latest")).manifest.layers.map(({ digest }) => digest);
  const layers = (await lab.find("common:1")).manifest.layers.map(({ digest }) => digest);
  expect(layers.slice(0, base.length)).toEqual(base);
  expect(layers).toHaveLength(base.length + 3);
});

test("provenance and an SBOM, as of any frontend", async () => {
  const { host } = lab.proxy;
  const scanner = `#!/bin/sh
echo '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3"}}' > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"
`;
  const image = `FROM ${lab.base}\nCOPY --chmod=755 scan /\nENTRYPOINT ["/scan"]\n`;
  await lab.push("scanner:1", { text: image, files: { scan: scanner } });
  const text = `FROM ${lab.base}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
  const sbom = `--attest=type=sbom,generator=${host}/scanner:1`;
  await lab.push("attested:1", { text, words: ["--provenance=mode=max", sbom] });
  const readRaw = async (name: string): Promise<string> => {
    const words = ["inspect", "--raw", "--tls-verify=false", `docker://${host}/${name}`];
    return (await execa("skopeo", words)).stdout;
  };
  const { manifests } = JSON.parse(await readRaw("attested:1"));
  expect(manifests).toHaveLength(2);
  const attested: Manifest = JSON.parse(await readRaw(`attested@${manifests[1].digest}`));
  const types = attested.layers.map((one) => one.annotations?.["in-toto.io/predicate-type"]);
  const wanted = ["https://slsa.dev/provenance/v1", "https://spdx.dev/Document"];
  expect(new Set(types)).toEqual(new Set(wanted));
});

test("an argument that looks like one of ours, and is none", async () => {
  const text = `FROM ${lab.base}\nARG XBUILD_OWN\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
  expect((await lab.build({ text, words: ["--build-arg=XBUILD_OWN=1"] })).status).toBe(0);
  const made = await lab.build({ text, words: ["--build-arg=XBUILD_MAX_LAYER=2"] });
  expect(made.text).toContain("there is no build argument XBUILD_MAX_LAYER\n");
});

test("names of layers are shown, not obeyed; names of ours are refused", async () => {
  const entries = JSON.stringify([{ path: "layers/a", created_by: "evil\u001b[31m\nERROR: fake" }]);
  const text = `FROM ${lab.base}
OUTPUT /layers
COPY entries /layers-entries
RUN mkdir /layers/output/layers/a && touch /layers/output/layers/a/x && cp /layers-entries /layers/output/history.json
`;
  const made = await lab.build({ text, files: { entries } });
  expect(made.status).toBe(0);
  expect(made.text).toContain(String.raw`[layers] evil\x1b[31m\x0aERROR: fake`);
  const own = `FROM ${lab.base} AS xbuild-layers\nFROM xbuild-layers\nOUTPUT /layers\nRUN true\n`;
  expect((await lab.build({ text: own })).text).toContain("the name xbuild-layers cannot be used");
});

test("frontends that name each other end", async () => {
  const [one, two] = [lab.frontend, lab.frontend.replace(/:[^:]*$/, ":again")];
  const words = ["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"];
  await execa("skopeo", [...words, `docker://${one}`, `docker://${two}`]);
  const text = `# dockerfile=${two}\n# dockerfile=${one}\nFROM ${lab.base}\nRUN true\n`;
  const made = await lab.build({ text });
  expect(made.status).toBe(0);
  expect(made.text.match(/resolve image config for docker-image:/g)).toHaveLength(2);
});

test("another frontend for ordinary files, by a directive", async () => {
  const other = `${lab.proxy.host}/xbuild/other:1`;
  const words = ["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"];
  await execa("skopeo", [...words, `docker://${lab.frontend}`, `docker://${other}`]);
  for (const text of [
    `FROM ${lab.base}\nRUN true\n`,
    `FROM ${lab.base}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`,
  ]) {
    const made = await lab.build({ text: `# dockerfile=${other}\n${text}` });
    expect(made.text).toContain(`resolve image config for docker-image://${other}`);
    expect(made.status).toBe(0);
  }
});

test("a context that is a repository, and one that is an archive", async () => {
  const directory = await mkdtemp(join(lab.sandbox.directory, "remote-"));
  const text = `# syntax=${lab.frontend}\nFROM ${lab.base}\nOUTPUT /layers\nCOPY file /o/file\nRUN /layers/bin/layer add file -C /o file\n`;
  await writeFile(join(directory, "Dockerfile"), text);
  await writeFile(join(directory, "file"), "remote\n");
  const tar = await execa("tar", ["-C", directory, "-c", "Dockerfile", "file"], {
    encoding: "buffer",
  });
  const { clients, builder, env } = lab.buildKit;
  const words = ["build", `--builder=${builder}`, "--progress=plain", "-"];
  const made = await execa(join(clients, "docker-buildx"), words, {
    env: { ...env },
    input: tar.stdout,
    all: true,
  });
  expect(made.all).toContain("[layers] file");
});
