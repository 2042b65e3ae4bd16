import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BareMachine,
  type BareOutcome,
  canMakeBare,
  makeBareMachine,
} from "../support/bare-machine.ts";
import { useBuildKit } from "../support/buildkit.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { mainFile } from "../support/xbuild.ts";
import { chooseBuilder, createKitProject, pushBase } from "./kit-project.ts";

// The client on a machine that lacks what Linux has (no /proc, no flock), the builder on another one
// (docs/reference.md, "Platforms"): the image is the same, the next build finds it up to date, and it is pushed.

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
const buildKit = useBuildKit();
let directory: string;
let machine: BareMachine;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  directory = await mkdtemp(join(tmpdir(), "xbuild-bare-"));
  machine = makeBareMachine(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

test("a client without /proc and flock builds with a builder elsewhere", async ({ skip }) => {
  skip(!canMakeBare(), "no mount namespace may be made here");
  const base = await pushBase(sandbox, service.proxy.host);
  const env = chooseBuilder(sandbox, buildKit, buildKit.address);
  const text = `FROM ${base} AS lower
OUTPUT /layers
RUN mkdir -p /layers/output/layers/a/etc && echo 1 > /layers/output/layers/a/etc/one && ln /layers/output/layers/a/etc/one /layers/output/layers/a/two
FROM ${base}
ARG N=1
OUTPUT --from=lower /layers
RUN mkdir /layers/output/layers/b && echo $N > /layers/output/layers/b/n
`;
  const app = await createKitProject(sandbox, { "Containerfile.x": text }, env);
  const name = `${service.proxy.host}/bare:1`;
  const words = [process.execPath, mainFile, "-t", name, "--push", "--timestamp=1", app.context];
  const there = { ...sandbox.env, ...env, XBUILD_STORE: join(directory, "store") };
  const build = (...more: readonly string[]): Promise<BareOutcome> =>
    machine.run([...words, ...more], there);
  const first = await build();
  expect({ ...first }).toMatchObject({ status: 0 });
  const again = await build();
  expect(again.stdout).toContain("Up to date");
  const changed = await build("--build-arg=N=2");
  expect(changed).toMatchObject({ status: 0 });
  expect(changed.stdout).toMatch(/^changed .* b/m);
  const here = await app.build(["--timestamp=1", "--build-arg=N=2"]);
  expect(changed.stdout).toContain(here.metadata.digest);
});
