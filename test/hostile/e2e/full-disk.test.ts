import { execFileSync } from "node:child_process";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseCount } from "../../support/counts.ts";
import { validateStore } from "../../support/check-image.ts";
import { listLeftovers } from "../../support/leftovers.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { runXbuild } from "../../support/xbuild.ts";

// A build under each amount of room: one that fails moves no tag, and leaves nothing.

const sandbox = useSandbox();
const megabyte = 1024 * 1024;
const steps = chooseCount(20);

let mount: string;
beforeAll(async () => {
  mount = join(sandbox.directory, "small");
  await mkdir(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "none", mount]);
});
afterAll(() => void execFileSync("umount", ["-l", mount]));

/** Fills the disk so that this many bytes are left. */
async function leaveRoom(bytes: number): Promise<void> {
  const file = await open(join(mount, "filler"), "w");
  try {
    const { bavail, bsize } = await statfs(mount);
    const chunk = Buffer.alloc(megabyte);
    for (let left = bavail * bsize - bytes; left > 0; left -= chunk.length) {
      await file.write(chunk.subarray(0, Math.min(left, chunk.length)));
    }
  } finally {
    await file.close();
  }
}

test("under each amount of room the tag stands for the old image or the new one, whole", async () => {
  const project = await sandbox.project();
  const store = join(mount, "store");
  const env = { XBUILD_STORE: store };
  const allowMounts = [mount];
  const write = (round: number): Promise<void> =>
    project.write({
      "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN head -c 3000000 /dev/urandom > /tmp/big && /layers/bin/layer add big-${round} /tmp/big
RUN mkdir -p /layers/output/state && head -c 500000 /dev/urandom > /layers/output/state/hint
`,
    });
  const build = (...args: readonly string[]) =>
    runXbuild(sandbox, [...args, "-t", project.name, "--no-load", project.context], { env });
  const findTag = () => sandbox.exec("skopeo", "inspect", "--raw", `oci:${store}:${project.name}`);
  await write(0);
  expect(await build()).toMatchObject({ status: 0 });
  const statuses: (number | undefined)[] = [];
  for (let step = 0; step <= steps; step += 1) {
    const before = await findTag();
    await write(step + 1);
    await leaveRoom(Math.floor((step / steps) * 12 * megabyte));
    const outcome = await build();
    await rm(join(mount, "filler"));
    statuses.push(outcome.status);
    const after = await findTag();
    // It has moved where the build went well, and nowhere else.
    expect([step, after !== before]).toEqual([step, outcome.status === 0]);
    const error = /error\[([a-z-]+)\]/.exec(outcome.stderr)?.[1];
    expect([undefined, "store-full", "step-failed"]).toContain(error);
    expect(await validateStore(store)).toEqual([]);
    expect(await listLeftovers(sandbox, store, allowMounts)).toEqual([]);
    if (outcome.status === 0) {
      await runXbuild(sandbox, ["cache", "prune"], { env });
    }
  }
  // The range is right: it begins where nothing fits, and ends where all does.
  expect([statuses[0], statuses.at(-1)]).toEqual([1, 0]);
}, 900_000);
