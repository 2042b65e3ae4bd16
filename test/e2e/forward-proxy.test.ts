import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startForwardProxy, type ForwardProxy } from "../support/forward-proxy.ts";
import {
  buildOnFreshMachine,
  listPackages,
  makePackages,
  type MachineBuild,
  type MachineOptions,
} from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// A machine that reaches its registry through a proxy alone: no name server knows registry.test.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });
const credentials = "machine:s3cret-proxy";

let context: string;
let forward: ForwardProxy;
let host: string;

beforeAll(async () => {
  forward = await startForwardProxy({ credentials });
  host = service.proxy.host.replace("127.0.0.1", "registry.test");
  await configureAccess(sandbox.directory, { ...service.proxy, host });
  context = join(sandbox.directory, "packages");
  await makePackages(context, baseImage, listPackages(4));
  await build(["-t", `${host}/app:latest`, "--push"], { env: proxied() });
});

afterAll(() => forward.stop());

beforeEach(() => service.proxy.reset());

function proxied(given = credentials): Readonly<Record<string, string>> {
  return { HTTPS_PROXY: forward.url.replace("//", `//${given}@`) };
}

function build(args: readonly string[], options: MachineOptions): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, args, options);
}

/** skopeo mounts as well, but of what has been fetched. */
function expectMounted({ metadata, layers }: MachineBuild): void {
  const mounts = service.proxy.mounts().map(({ status, from }) => [status, from]);
  expect(mounts).toEqual(layers.map(() => [201, "app"]));
  const kept = new Set<unknown>(metadata.layers.map(({ digest }) => digest));
  const fetched = service.proxy.blobDownloads().map(({ path }) => path.split("/").at(-1));
  expect(fetched.filter((digest) => kept.has(digest))).toEqual([]);
}

test("kept layers are mounted and asked for through it, and none is fetched", async () => {
  const before = forward.requests.length;
  const words = ["--cache-from", `${host}/app`, "-t", `${host}/branch:latest`, "--push"];
  const built = await build(words, { env: proxied() });
  expect(built.metadata.upToDate).toBe(true);
  expectMounted(built);
  const asked = forward.requests.slice(before);
  expect(asked.length).toBeGreaterThan(0);
  expect(new Set(asked.map(({ method, target }) => `${method} ${target}`))).toEqual(
    new Set([`CONNECT ${host}`]),
  );
  expect(asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});

test.each([
  ["wants another password", () => proxied("machine:wr0ng-pass")],
  ["is not there", () => ({ HTTPS_PROXY: "http://machine:wr0ng-pass@127.0.0.1:1" })],
])("one that %s is an error that names it, without the password", async (_, env) => {
  const words = ["--cache-from", `${host}/app`, "-t", "app", "--no-load", "--retry=1"];
  const { stderr, stdout } = await build(words, { env: env(), status: 1 });
  expect(stderr).toContain("error[registry-unavailable]");
  expect(stderr).toContain("through the proxy http://127.0.0.1:");
  expect(stderr).toContain("HTTPS_PROXY");
  expect(stderr + stdout).not.toContain("wr0ng-pass");
  expect(service.proxy.requests).toEqual([]);
});

test("NO_PROXY is honoured", async () => {
  const before = forward.requests.length;
  const direct = service.proxy.host.replace("127.0.0.1", "0.0.0.0");
  await configureAccess(sandbox.directory, { ...service.proxy, host: direct });
  const words = ["--cache-from", `${direct}/app`, "-t", `${direct}/other:latest`, "--push"];
  const env = { ...proxied(), NO_PROXY: "0.0.0.0" };
  const built = await build([...words, "--tls-verify=false"], { env });
  expectMounted(built);
  expect(forward.requests.length).toBe(before);
});
