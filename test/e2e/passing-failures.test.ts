import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();
const engines = ["buildah", "podman"];

/** A step that no other test has put into the cache. */
function writeSteps(by: string): string {
  return `FROM ${baseImage}
RUN echo ${by} > /made
OUTPUT /layers
RUN /layers/bin/layer add made -C / made
`;
}

/** What the engine sees of an image that another process is just removing: its layer is gone already. */
async function breakImage(): Promise<() => Promise<void>> {
  const file = join(sandbox.directory, "graph", "overlay-images", "images.json");
  const images = JSON.parse(await readFile(file, "utf8"));
  const gone = { id: "d".repeat(64), layer: "e".repeat(64), created: "2026-01-01T00:00:00Z" };
  await writeFile(file, JSON.stringify([...images, gone]));
  return async () => {
    const now: readonly { readonly id: string }[] = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify(now.filter(({ id }) => id !== gone.id)));
  };
}

test.each(engines)(
  "%s: an image that goes while the engine looks through all of them ends no build",
  async (engine) => {
    const project = await sandbox.project({ "Containerfile.x": writeSteps(engine) });
    const mend = await breakImage();
    const started = project.start(["--engine", engine]);
    let said = "";
    for await (const chunk of started.stderr) {
      said += String(chunk);
      if (said.includes("engine-storage-busy")) break;
    }
    await mend();
    const outcome = await started.ended;
    assertStatus(outcome, 0);
    expect(outcome.builds.length).toBeGreaterThan(2);
  },
);

test("one that stays broken is told", async () => {
  const project = await sandbox.project({ "Containerfile.x": writeSteps("nobody") });
  const mend = await breakImage();
  try {
    const outcome = await project.fail(125);
    expect(outcome.stderr).toContain("one of its images is damaged");
  } finally {
    await mend();
  }
});

/**
 * The engine, whose first image of layering steps cannot be made in the end: a layer that it shares with an image made
 * beside it went with that one.
 */
async function writeFaulty(engine: string): Promise<string> {
  const directory = join(sandbox.directory, `faulty-${engine}`);
  await mkdir(directory);
  const real = join(sandbox.directory, "bin", engine);
  const script = `#!/bin/sh
${real} "$@" || exit
case "$*" in
  *:/layers/output*) [ -e ${directory}/once ] || { : >${directory}/once; echo '${gone}' >&2; exit 125; } ;;
esac
`;
  await writeFile(join(directory, engine), script, { mode: 0o755 });
  return `${directory}${delimiter}${sandbox.env["PATH"]}`;
}

/** As buildah 1.28 and podman 4.3 say it. */
const gone =
  'Error: committing container for step {Env:[] Command:env Args:[V 2]}: copying layers and metadata for container "c": committing the finished image: creating image "i": layer not known';

test.each(engines)(
  "%s: a layer that goes while the config is made ends no build, and no step runs again",
  async (engine) => {
    const project = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN ran=/layers/input/state/ran; [ ! -e $ran ] || [ "$(cat $ran)" = once ]
RUN mkdir -p /layers/output/state && echo once >> /layers/output/state/ran
ENV V=2
RUN /layers/bin/layer add passwd -C / etc/passwd
`,
    });
    const words = ["--engine", engine, "--no-cache"];
    const first = await project.build(words, { env: { PATH: await writeFaulty(engine) } });
    expect(first.stderr).toContain("warning[engine-storage-busy]");
    expect(first.stdout.match(/STEP .*ENV V=2/g)).toHaveLength(1);
    expect(first.image.config.config?.Env).toContain("V=2");
    expect((await project.build(words)).layers).toEqual(first.layers.map(toKept));
  },
);

function toKept(layer: string): string {
  return layer.replace(/ new$/, " equal");
}
