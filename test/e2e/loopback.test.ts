import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildOnFreshMachine, listPackages, makePackages } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Registries at addresses of this machine that speak plain HTTP, and of which nobody says that they may.

const sandbox = useSandbox();
const open = useRegistry({ tls: false });
const closed = useRegistry({ tls: false, auth: "basic" });

let context: string;

beforeAll(async () => {
  context = join(sandbox.directory, "packages");
  await makePackages(context, baseImage, listPackages(2));
  await configureAccess(sandbox.directory, open.proxy, { trust: false });
  await configureAccess(sandbox.directory, closed.proxy, { trust: false });
});

const isIdentified = ({ authorized }: { readonly authorized: boolean }): boolean => authorized;

function writePolicy(transports: object): Promise<void> {
  const accept = [{ type: "insecureAcceptAnything" }];
  const policy = join(sandbox.directory, ".config/containers/policy.json");
  return writeFile(policy, JSON.stringify({ default: accept, transports }));
}

test("one that lets everybody in is pushed to and read, and sees no credentials", async () => {
  const name = `${open.proxy.host}/app:latest`;
  await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"]);
  const args = ["--no-load", "--cache-from", name];
  const again = await buildOnFreshMachine(sandbox, context, args);
  expect(again.metadata.upToDate).toBe(true);
  // What the policy wants to see skopeo reads in the same way.
  await writePolicy({ docker: { "registry.test": [{ type: "reject" }] } });
  const judged = await buildOnFreshMachine(sandbox, context, args);
  expect(judged.metadata.upToDate).toBe(true);
  expect(open.proxy.requests.filter(isIdentified)).toEqual([]);
});

test("one that asks who is there is told nothing, unless --tls-verify=false says that it may be", async () => {
  const name = `${closed.proxy.host}/app:latest`;
  const push = ["-t", name, "--push"];
  const refused = await buildOnFreshMachine(sandbox, context, push, { status: 1 });
  expect(refused.stderr).toContain("error[registry-plain-http]");
  expect(refused.stderr).toContain("insecure = true of it in registries.conf");
  const read = await buildOnFreshMachine(sandbox, context, ["--no-load", "--cache-from", name], {
    status: 1,
  });
  expect(read.stderr).toContain("error[registry-plain-http]");
  expect(closed.proxy.requests.filter(isIdentified)).toEqual([]);
  await buildOnFreshMachine(sandbox, context, [...push, "--tls-verify=false"]);
  expect(closed.proxy.requests.some(isIdentified)).toBe(true);
});
