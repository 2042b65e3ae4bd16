import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
