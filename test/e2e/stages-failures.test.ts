import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { gateStep, openGate, startGated } from "../support/gate.ts";
import { findProcesses, listLeftovers, listProcesses } from "../support/leftovers.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listRunSorted } from "../support/stages.ts";
import { waysToStop } from "../support/stops.ts";
import { assertStatus, type Started } from "../support/xbuild.ts";

// What goes wrong while stages are built side by side.

const sandbox = useSandbox();
/** What tells our sleeping steps from those of others. */
const sleep = `sleep 1000${process.pid}`;

const stages = (failing: string, others: string): string => `FROM ${baseImage} AS unused
RUN ${failing}
FROM ${baseImage} AS shared
RUN echo shared > /shared
FROM shared AS failing
OUTPUT /layers
RUN ${failing}
RUN /layers/bin/layer add failing /shared
FROM shared AS layering
OUTPUT /layers
RUN ${others}
RUN /layers/bin/layer add layering /etc/passwd
FROM shared AS plain
COPY --from=shared /shared /plain
RUN ${others}
FROM shared
OUTPUT --from=failing --from=layering --from=plain /layers
RUN /layers/bin/layer add top /shared
`;
/** Begins when both others are in their steps. */
const together = `i=0; while [ "$(ls /meet | wc -l)" -lt 2 ] && [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.1; done`;

let project: Project;

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": stages("true", "true") });
  await project.build(["--jobs=4"]);
});

afterEach(async () => {
  for (const pid of await findProcesses(sleep)) process.kill(pid, "SIGKILL");
  await sandbox.exec("buildah", "rm", "--all");
});

describe("a stage fails while others run", () => {
  test.each(["--jobs=0", "--jobs=4"])(
    "%s: its status and place are told, the others are stopped",
    async (jobs) => {
      const meeting = await project.sandbox.project();
      const waiting = `mktemp -d /meet/XXXXXX && ${sleep}`;
      await project.write({ "Containerfile.x": stages(`${together}; exit 9`, waiting) });
      const failed = await project.fail(9, [jobs, `--volume=${meeting.context}:/meet`]);
      expect(failed.stderr).toContain("Containerfile.x:7:1: error[step-failed]");
      expect(failed.stderr).toContain("exit status 9 (layering steps of failing)");
      expect(failed.stderr.match(/error\[/g)).toHaveLength(1);
      expect(await listProcesses(sleep)).toEqual([]);
    },
  );
});

describe("stopped while several stages run", () => {
  test.each(waysToStop)("$way ends all and leaves nothing", async ({ stop }) => {
    const before = [await project.findDigest(), await project.findLoaded()];
    const started = await startThree();
    stop(started);
    const outcome = await started.ended;
    assertStatus(outcome, 130);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
    expect(await listProcesses(sleep)).toEqual([]);
    expect(await listLeftovers(sandbox, project.store)).toEqual([]);
    expect([await project.findDigest(), await project.findLoaded()]).toEqual(before);
  });

  test("SIGKILL: the next build cleans up, and what was done is not done again", async () => {
    const started = await startThree();
    started.signal("SIGKILL");
    await started.ended;
    await project.write({ "Containerfile.x": stages("true", "true") });
    // Checks that nothing is left.
    const next = await project.build(["--jobs=0"]);
    expect(next.builds).toEqual([]);
    expect(await listProcesses(sleep)).toEqual([]);
  });
});

/** A build in which three stages are in a step that does not end. */
async function startThree(): Promise<Started> {
  const begun = "echo be''gun";
  const text = stages(`${begun}; ${sleep}`, `${begun}; ${sleep}`);
  await project.write({ "Containerfile.x": text });
  const started = project.start(["--jobs=0"]);
  await Promise.all(
    ["failing", "layering", "plain"].map((name) => started.says(`[${name}] begun`)),
  );
  return started;
}

test("an input that changes while a stage is built: neither it nor the target counts as up to date", async () => {
  const text = `FROM ${baseImage} AS moving
OUTPUT /layers
COPY input /input
${gateStep}
RUN mkdir /o && cp /input /o/moving && /layers/bin/layer add moving -C /o moving
FROM ${baseImage}
OUTPUT --from=moving /layers
RUN /layers/bin/layer add top /etc/passwd
`;
  const moving = await sandbox.project({ "Containerfile.x": text, input: "one\n" });
  const started = await startGated(moving, ["--no-load"]);
  await moving.write({ input: "two\n" });
  await openGate(moving);
  const first = await started.ended;
  assertStatus(first, 0);
  expect(first.stderr).toMatch(/warning\[inputs-changed\].*input \(content\)/);
  // Neither the old nor the new content gives what was made of both: the steps run again.
  const again = await startGated(moving, ["--no-load"]);
  await openGate(moving);
  const second = await again.ended;
  assertStatus(second, 0);
  expect(listRunSorted(second)).toContain("moving");
  expect(second.stderr).not.toContain("warning[inputs-changed]");
  expect(await moving.build(["--no-load"])).toMatchObject({
    builds: [],
    metadata: { upToDate: true },
  });
});
