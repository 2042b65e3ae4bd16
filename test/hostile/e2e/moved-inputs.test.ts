import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { gateStep, openGate, startGated } from "../../support/gate.ts";
import type { Project } from "../../support/project.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { assertStatus } from "../../support/xbuild.ts";

// "Up to date" must not be said of content that changed while it was built.

const sandbox = useSandbox();
const keyAnnotation = "io.xbuild.key";

/** What is read, and what is left of the build to read it. */
function makeText(read: string): string {
  const steps = read.includes(gateStep) ? read : `${gateStep}\n${read}`;
  return `FROM ${baseImage}\nOUTPUT /layers\n${steps}\nRUN /layers/bin/layer add told /tmp/told\n`;
}

let outside: string;
beforeAll(async () => {
  outside = join(sandbox.directory, "outside");
  await mkdir(outside);
});

interface Move {
  readonly read: string;
  readonly args?: () => readonly string[];
  readonly before?: (project: Project) => Promise<void>;
  readonly move: (project: Project) => Promise<void>;
  /** What is told of it. */
  readonly told: string;
}

const moves: Readonly<Record<string, Move>> = {
  "a file of the context": {
    read: "COPY file /tmp/told",
    move: (project) => project.write({ file: "new" }),
    told: "context: file (content)",
  },
  "a file of the context, read before it changed": {
    read: "RUN --mount=type=bind,target=/m cp /m/file /tmp/told",
    move: (project) => project.write({ file: "new" }),
    told: "context: file (content)",
  },
  "the mode of a file": {
    read: "COPY file /tmp/told",
    move: (project) => chmod(join(project.context, "file"), 0o755),
    told: "context: file (mode)",
  },
  "a file that comes": {
    read: "COPY . /tmp/told",
    move: (project) => project.write({ another: "new" }),
    told: "context: another (added)",
  },
  "the ignore file": {
    read: "COPY . /tmp/told",
    move: (project) => project.write({ ".containerignore": "file\n" }),
    told: "context: file (removed)",
    before: (project) => project.write({ ".containerignore": "none\n" }),
  },
  "a file of a named context": {
    read: "COPY --from=other file /tmp/told",
    args: () => ["--build-context", `other=${outside}`],
    move: () => writeFile(join(outside, "file"), "new"),
    told: "context other: file (content)",
  },
  "a file of a volume": {
    read: "RUN cp /volume/file /tmp/told",
    args: () => ["--volume", `${outside}:/volume:ro`],
    move: () => writeFile(join(outside, "file"), "new"),
    told: "volume OUTSIDE: file (content)",
  },
  // The engine itself refuses one that is gone before it is read.
  "a secret that goes away": {
    read: `RUN --mount=type=secret,id=key cat /run/secrets/key > /tmp/told\n${gateStep}`,
    args: () => ["--secret", `id=key,src=${join(outside, "secret")}`],
    move: () => rm(join(outside, "secret")),
    told: "(gone)",
  },
  "an image that a named context stands for": {
    read: "COPY --from=other /etc/group /tmp/told",
    args: () => ["--build-context", "other=docker-image://localhost/moving"],
    before: async () => void (await sandbox.exec("buildah", "tag", baseImage, "localhost/moving")),
    move: async () => {
      const context = join(sandbox.directory, "moved");
      await mkdir(context, { recursive: true });
      await writeFile(
        join(context, "Containerfile"),
        `FROM ${baseImage}\nRUN echo x >> /etc/group\n`,
      );
      await sandbox.exec("buildah", "build", "--quiet", "-t", "localhost/moving", context);
    },
    told: "the image localhost/moving",
  },
};

describe("what changes while it is built is no part of a record or a key", () => {
  test.each(Object.entries(moves))("%s", async (_what, { read, args, before, move, told }) => {
    await writeFile(join(outside, "file"), "old");
    await writeFile(join(outside, "secret"), "old");
    const project = await sandbox.project({ "Containerfile.x": makeText(read), file: "old" });
    await before?.(project);
    const flags = ["--no-load", ...(args?.() ?? [])];
    const started = await startGated(project, flags);
    await move(project);
    await openGate(project);
    const outcome = await started.ended;
    assertStatus(outcome, 0);
    expect(outcome.stderr).toContain("warning[inputs-changed]");
    expect(outcome.stderr).toContain(told.replace("OUTSIDE", outside));
    await project.write({ "Containerfile.x": makeText(read).replace(`${gateStep}\n`, "") });
    await writeFile(join(outside, "secret"), "new");
    const next = await project.build(flags);
    expect(next.metadata.upToDate).toBe(false);
    expect((await project.build(flags)).metadata.upToDate).toBe(true);
  });

  test("the image that was made so has no key, and the next build of the same text builds", async () => {
    const text = makeText("COPY file /tmp/told");
    const project = await sandbox.project({ "Containerfile.x": text, file: "old" });
    const started = await startGated(project, ["--no-load"]);
    await project.write({ file: "new" });
    await openGate(project);
    assertStatus(await started.ended, 0);
    const reference = `oci:${project.store}:${project.name}`;
    const manifest = await sandbox.exec("skopeo", "inspect", "--raw", reference);
    expect(manifest).not.toContain(keyAnnotation);
    await project.write({ file: "old" });
    const again = await startGated(project, ["--no-load"]);
    await openGate(project);
    assertStatus(await again.ended, 0);
    const third = await project.build(["--no-load"]);
    expect(third.metadata.upToDate).toBe(true);
  });

  test("where nothing moved, nothing is told", async () => {
    const text = makeText("COPY file /tmp/told").replace(`${gateStep}\n`, "");
    const project = await sandbox.project({ "Containerfile.x": text, file: "old" });
    const built = await project.build(["--no-load"]);
    expect(built.stderr).not.toContain("inputs-changed");
    expect((await project.build(["--no-load"])).metadata.upToDate).toBe(true);
  });
});
