import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildOnFreshMachine, listPackages, makePackages } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

// Registries whose names have capitals, with real engines, skopeo and a registry.

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
let host: string;

beforeAll(async () => {
  const { proxy } = service;
  host = proxy.host.replace(/^[^:]+/, "LOCALHOST");
  await configureAccess(sandbox.directory, { ...proxy, host, caFile: undefined });
});

test("a host that is told by its capitals alone is one for the store and the engine", async () => {
  const project = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add etc /etc\n`,
  });
  const first = await project.build(["-t", "MyHost/app"]);
  expect(first.metadata.names).toEqual(["MyHost:443/app:latest"]);
  const words = ["inspect", "--type=image", "--format={{.FromImageID}}", "MyHost:443/app:latest"];
  const loaded = await sandbox.exec("buildah", ...words);
  expect(first.metadata.configDigest).toBe(`sha256:${loaded}`);
  const again = await project.build(["-t", "MyHost/app"]);
  expect(again.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
  assertStatus(await project.run(["tag", "MyHost/app", "MyHost/team/app:2"]), 0);
  const listed = await project.run(["images", "-q", "MyHost/*"]);
  expect(listed.stdout).toBe("MyHost:443/app:latest\nMyHost:443/team/app:2\n");
  assertStatus(await project.run(["rmi", "MyHost/app"]), 0);
  expect((await project.run(["images", "-q"])).stdout).toBe("MyHost:443/team/app:2\n");
});

test("a registry's name with capitals is pushed to, and is a previous image", async () => {
  const context = join(sandbox.directory, "packages");
  await makePackages(context, baseImage, listPackages(3));
  const name = `${host}/team/app:1`;
  const first = await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"]);
  expect(first.stdout + first.stderr).toContain(`Pushing to ${name}`);
  const args = ["--cache-from", name, "-t", `${host}/team/app:2`, "--push"];
  const second = await buildOnFreshMachine(sandbox, context, args);
  expect(second.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
  expect(second.builds).toEqual([]);
});
