import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listRunSorted } from "../support/stages.ts";
import { validateLayout } from "../support/validate-layout.ts";

// A target without OUTPUT on top of stages that have one.

const sandbox = useSandbox();
const service = useRegistry();

const below = `FROM ${baseImage} AS below
OUTPUT --from=${baseImage} --inherit-config /layers
RUN mkdir /o && echo below > /o/below && tar -cf /layers/output/layers/below.tar -C /o below
RUN echo '[{"created_by":"the lower layer","path":"layers/below.tar","annotations":{"of.lower":"kept"}}]' > /layers/output/history.json
ENV FROM_BELOW=1
ONBUILD RUN echo fired > /fired
`;

const top = `ARG SECRET
ENV TOP=2
LABEL of=top
USER app
VOLUME /data
EXPOSE 80 90/udp
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s CMD true
USER root
RUN echo "$SECRET" | sha256sum > /secret; date +%N > /dev/null; echo run > /run-made
RUN --mount=type=bind,from=below,target=/m cat /m/below > /copied
COPY file /file
ONBUILD RUN true
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
`;

const value = "hunter2-hunter2";
const args = [
  `--build-arg=SECRET=${value}`,
  "--redact=SECRET",
  "--label=l=line",
  "--annotation=an=1",
];

let project: Project;
let first: Built;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  project = await sandbox.project({
    "Containerfile.x": `${below}FROM below\n${top}`,
    file: "file\n",
  });
  first = await project.build(args);
});

const layersOf = ({ image }: Built) => image.manifest.layers;

test("the layers below keep digest and annotations; the history is that of the file", () => {
  expect(listRunSorted(first)).toEqual(["1", "below"]);
  expect(layersOf(first)[1]?.annotations).toEqual({ "of.lower": "kept" });
  const history = (first.image.config.history ?? []).map((one) => one.created_by ?? "");
  const own = history.slice(history.indexOf("the lower layer") + 1).join("\n");
  for (const text of [
    "echo fired > /fired",
    "ENV TOP=2",
    "LABEL of=top",
    "from=below,target=/m cat",
    "COPY",
  ]) {
    expect(own).toContain(text);
  }
  expect(own).not.toMatch(/xbuild|sha256:[0-9a-f]{64}|[0-9a-f]{64},/);
  expect(own).toContain("SECRET=***");
});

test("no secret value is anywhere in the store or told", async () => {
  await expect(sandbox.exec("grep", "-rl", value, project.store)).rejects.toMatchObject({
    exitCode: 1,
  });
  expect(first.image.manifest.annotations?.["an"]).toBe("1");
});

test("the config is what the engine makes of these instructions on such a base", async () => {
  const { container } = first.image;
  expect(container).toMatchObject({
    User: "root",
    Env: [expect.stringMatching(/^PATH=/), "FROM_BELOW=1", "TOP=2"],
    Labels: { of: "top", l: "line" },
    Volumes: { "/data": {} },
    ExposedPorts: { "80/tcp": {}, "90/udp": {} },
    Shell: ["/bin/sh", "-ec"],
    Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000 },
    OnBuild: ["RUN true"],
    StopSignal: "SIGINT",
    Entrypoint: ["/bin/sh"],
    Cmd: ["-c", "true"],
  });
  expect(await readFile(join(first.image.files, "fired"), "utf8")).toBe("fired\n");
  expect(await readFile(join(first.image.files, "copied"), "utf8")).toBe("below\n");
});

test("built again without the cache it is the same image, and pushed again nothing is sent", async () => {
  const tag = `${service.proxy.host}/team/top:latest`;
  const push = ["-t", tag, "--push", "--no-load", "--retry-delay=20ms"];
  expect(await project.build([...args, ...push])).toMatchObject({ builds: [] });
  service.proxy.reset();
  const again = await project.build([...args, ...push, "--no-cache"]);
  expect(again.metadata.digest).toBe(first.metadata.digest);
  expect(again.layers.map((one) => one.split(" ").at(-1))).toEqual([
    "base",
    "equal",
    "equal",
    "equal",
    "equal",
    "equal",
  ]);
  expect(service.proxy.blobUploads()).toEqual([]);
  const raw = await sandbox.exec("skopeo", "inspect", "--raw", `docker://${tag}`);
  expect(JSON.parse(raw)).toEqual(first.image.manifest);
});

test("oci: has the same manifest", async () => {
  const layout = join(sandbox.directory, "layout");
  await project.build([...args, `--output=oci:${layout}:top`, "--no-load"]);
  expect(await validateLayout(layout)).toEqual([]);
  const raw = await sandbox.exec("skopeo", "inspect", "--raw", `oci:${layout}:top`);
  expect(JSON.parse(raw)).toEqual(first.image.manifest);
});

describe("reproducible", () => {
  test.each([
    ["SOURCE_DATE_EPOCH", [], { SOURCE_DATE_EPOCH: "1700000000" }],
    ["--timestamp", ["--timestamp=1700000000"], {}],
  ])("%s: two stores come to the same image", async (_, more, env) => {
    const twice = [1, 2].map(async () => {
      const one = await sandbox.project({
        "Containerfile.x": `${below}FROM below\nRUN echo x > /x\nCOPY file /file\n`,
        file: "file\n",
      });
      return one;
    });
    const digests: string[] = [];
    for (const one of await Promise.all(twice)) {
      const built = await one.build(["--no-load", "--no-cache", ...more], { env });
      digests.push(built.metadata.digest);
      expect(built.image.config.created).toBe("2023-11-14T22:13:20Z");
    }
    expect(digests[1]).toBe(digests[0]);
  });
});
