import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { configureAccess, useRegistry } from "../../support/registry-access.ts";
import { registryPassword, registryUser } from "../../support/registry.ts";
import type { Project } from "../../support/project.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// What --creds says is in no file that has a name, so that nothing of it is left, however we end.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

let project: Project;
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add etc /etc\n`,
  });
});

const creds = `--creds=${registryUser}:${registryPassword}`;
const encoded = Buffer.from(`${registryUser}:${registryPassword}`).toString("base64");

/** Files below a directory that say it, in plain or as an auth file does. */
async function findTold(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    // The engine's storage has none of ours, and a log of command lines is read for itself.
    if (entry.name === "graph" || entry.name.startsWith("calls-")) continue;
    if (entry.isDirectory()) found.push(...(await findTold(path)));
    if (!entry.isFile()) continue;
    const text = await readFile(path, "latin1").catch(() => "");
    if (text.includes(registryPassword) || text.includes(encoded)) found.push(path);
  }
  return found;
}

/** That of the registry is spelled out: what accepts all asks nobody. */
async function writePolicy(host: string): Promise<void> {
  const accept = [{ type: "insecureAcceptAnything" }];
  const policy = { default: accept, transports: { docker: { [host]: accept } } };
  const path = join(sandbox.directory, ".config/containers/policy.json");
  await writeFile(path, JSON.stringify(policy));
}

test("killed while it pushes, it leaves no credentials", async () => {
  const { host } = service.proxy;
  const reached = new Promise<void>((done) => {
    service.proxy.fault({
      match: ({ method, path }) => {
        const isUpload = method === "POST" && path.includes("/blobs/uploads/");
        if (isUpload) done();
        return isUpload;
      },
      hang: true,
    });
  });
  const started = project.start([creds, "-t", `${host}/app:latest`, "--push"]);
  await reached;
  started.signal("SIGKILL");
  await started.ended;
  expect(await findTold(sandbox.directory)).toEqual([]);
  service.proxy.clearFaults();
  const args = [creds, "-t", `${host}/app:latest`, "--push", project.context];
  expect(await project.run(args)).toMatchObject({ status: 0 });
  expect(await findTold(sandbox.directory)).toEqual([]);
  // A policy has skopeo judge what is there now.
  await writePolicy(host);
  const outcome = await project.run([...args, "--no-cache"]);
  expect(outcome).toMatchObject({ status: 0 });
  expect(outcome.calls.filter((call) => call.startsWith("skopeo")).length).toBeGreaterThan(0);
  const told = outcome.calls.filter((call) => call.includes(registryPassword));
  expect(told.filter((call) => call.startsWith("skopeo"))).toEqual([]);
  expect(await findTold(sandbox.directory)).toEqual([]);
});
