import { expect, test } from "vitest";
import {
  parseContainerfile,
  resolveStages,
  checkContainerfile,
} from "../../containerfile/containerfile.ts";
import { captureIo } from "../../../test/support/capture-io.ts";
import { renderSplitFile, type SplitImages } from "./split-file.ts";
import { createSplitRequest, readSplitLine, type SplitRequest } from "./split-request.ts";

function read(...words: readonly string[]): SplitRequest {
  return createSplitRequest(readSplitLine(words), captureIo({ cwd: "/work" }).io);
}

function render(request: SplitRequest, images: Partial<SplitImages> = {}): readonly string[] {
  const { image, tools, above } = request;
  const below = above === undefined ? undefined : { mounted: "localhost/mounted", below: above };
  const text = renderSplitFile(request, { image, tools, above: below, ...images });
  const containerfile = parseContainerfile(Buffer.from(text), "-");
  const options = { buildArgs: new Map(), buildContexts: new Set<string>() };
  const platform = "linux/amd64";
  const graph = resolveStages(containerfile, {
    ...options,
    targetPlatform: platform,
    buildPlatform: platform,
  });
  expect(
    checkContainerfile(containerfile, graph).filter(({ severity }) => severity === "error"),
  ).toEqual([]);
  return text.trimEnd().split("\n");
}

test("the image's own tools split it, and its config is kept", () => {
  expect(render(read("app:v1", "-t", "new"))).toEqual([
    "FROM app:v1 AS layers",
    "USER 0",
    "OUTPUT /layers",
    'RUN ["/layers/bin/layer","split","auto","/"]',
    "FROM app:v1 AS image",
    "OUTPUT --inherit-config --from=layers /layers",
  ]);
});

test("a base, files, and somebody else's tools are mounted where no path of the image has to be", () => {
  const words = [
    "--above=oci:base",
    "--tools=tools",
    "--map=m",
    "--plan=/p",
    "--kind=dpkg,npm",
    "--max-layer-bytes=1k",
  ];
  expect(render(read("docker://registry.example/app", "-t=new", ...words))).toEqual([
    "FROM tools AS layers",
    "USER 0",
    "OUTPUT --from=oci:/work/base /layers",
    "RUN --mount=type=bind,from=localhost/mounted,target=/layers/mnt/base" +
      " --mount=type=bind,source=.,target=/layers/mnt/files" +
      " --mount=type=bind,from=registry.example/app,target=/layers/mnt/image" +
      ' ["/layers/bin/layer","split","--max-layer-bytes","1024","--map","/layers/mnt/files/map",' +
      '"--plan","/layers/mnt/files/plan","--above","/layers/mnt/base","dpkg,npm","/layers/mnt/image"]',
    "FROM registry.example/app AS image",
    "OUTPUT --inherit-config --from=layers /layers",
  ]);
});

test("no stage has the name of an image", () => {
  const [first, , , , second] = render(read("layers", "-t", "new", "--tools", "image"));
  expect([first, second]).toEqual(["FROM image AS packages", "FROM layers AS result"]);
});

test("what is build's goes to the build, in its own words", () => {
  const request = read(
    "oci:a",
    "-t",
    "x",
    "--history",
    "h:v*",
    "--max-layers=9",
    "--push",
    "-q",
    "--",
    "--isolation=chroot",
  );
  expect(request.image).toBe("oci:/work/a");
  expect(request.words).toEqual(
    "-t x --history h:v* --max-layers=9 --push -q -- --isolation=chroot".split(" "),
  );
});

test.each([
  [["app"], "split needs a name for the result"],
  [["-t", "x"], "split needs the name of one image"],
  [["a", "b", "-t", "x"], "split needs the name of one image"],
  [["app", "-t", "x", "-f", "y"], "unknown flag -f"],
  [["app", "-t", "x", "--squash"], "unknown flag --squash"],
  [["app", "-t", "x", "--kind=a b"], "--kind cannot be a b"],
  [["app", "-t", "x", "--max-layer-bytes=x"], "--max-layer-bytes must be a size"],
  [["oci:a b", "-t", "x"], "a path of an image has letters"],
  [["oci:a\nRUN evil", "-t", "x"], "a path of an image has letters"],
  [["app", "-t", "x", "--above=oci:$HOME"], "--above oci:$HOME: a path of an image"],
])("%j is refused", (words, message) => {
  expect(() => read(...words)).toThrow(message);
});

test.each(["a b", "app:v1\nRUN evil", "APP/x:y:z"])("%j is no image", (name) => {
  expect(() => read("-t", "x", name)).toThrow("is no image name");
  expect(() => read("-t", "x", `--tools=${name}`, "app")).toThrow("is no image name");
});
