import { mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine, listPackages, makePackages } from "../support/machines.ts";
import { listLeftovers } from "../support/leftovers.ts";
import { pushFirstImage } from "../support/pushed-image.ts";
import { useRegistry } from "../support/registry-access.ts";
import type { RequestLine } from "../support/registry-records.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, runXbuild, startXbuild, type Started } from "../support/xbuild.ts";

// Builds that are stopped or killed while bytes move, several at once, and names that registries.conf explains.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

let context: string;
let name: string;

beforeAll(async () => {
  ({ context, name } = await pushFirstImage(sandbox, service));
});

afterEach(() => service.proxy.clearFaults());

const isUpload = ({ method, path }: RequestLine): boolean =>
  method === "PATCH" && path.includes("/blobs/uploads/");
const isLayerRead = ({ method, path, authorized }: RequestLine): boolean =>
  method === "GET" && path.includes("/blobs/") && authorized;

function findTag(reference = name): Promise<string> {
  return sandbox.exec("skopeo", "inspect", "--format={{.Digest}}", `docker://${reference}`);
}

/** A build that hangs at the first request of this kind. */
async function startHanging(
  match: (request: RequestLine) => boolean,
  says: string,
  args: readonly string[],
): Promise<{ readonly started: Started; readonly store: string }> {
  const store = join(await mkdtemp(join(sandbox.directory, "stopped-")), "store");
  service.proxy.fault({ match, hang: true });
  const started = startXbuild(sandbox, [...args, context], { env: { XBUILD_STORE: store } });
  await started.says(says);
  return { started, store };
}

describe("interrupted", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("%s while it pushes", async (signal) => {
    const tag = await findTag();
    await makePackages(context, baseImage, listPackages(4, { p1: signal.length }));
    const { started, store } = await startHanging(isUpload, "==> Pushing", ["-t", name, "--push"]);
    started.signal(signal);
    assertStatus(await started.ended, 130);
    expect(await listLeftovers(sandbox, store)).toEqual([]);
    service.proxy.clearFaults();
    expect(await findTag()).toBe(tag);
  });

  test("SIGINT while it fetches", async () => {
    await makePackages(context, baseImage, listPackages(4, { p2: 2 }));
    const archive = `oci-archive:${join(sandbox.directory, "never.tar")}:x`;
    const args = ["--cache-from", name, "-t", "app", "-o", archive];
    const { started, store } = await startHanging(
      (request) => isLayerRead(request) && !request.path.endsWith(configDigest),
      "==> Fetching",
      args,
    );
    started.signal("SIGINT");
    assertStatus(await started.ended, 130);
    expect(await listLeftovers(sandbox, store)).toEqual([]);
    expect(await readdir(sandbox.directory)).not.toContain("never.tar");
  });

  /** Read with the manifest, before any layer. */
  let configDigest = "";
  beforeAll(async () => {
    const raw = await sandbox.exec("skopeo", "inspect", "--raw", `docker://${name}`);
    const manifest: { readonly config: { readonly digest: string } } = JSON.parse(raw);
    configDigest = manifest.config.digest;
  });

  test("killed while it pushes: the next one has nothing to build, and leaves nothing", async () => {
    await makePackages(context, baseImage, listPackages(4, { p3: 3 }));
    const { started, store } = await startHanging(isUpload, "==> Pushing", ["-t", name, "--push"]);
    process.kill(-started.pid, "SIGKILL");
    await started.ended;
    service.proxy.clearFaults();
    const env = { XBUILD_STORE: store };
    const again = await runXbuild(sandbox, ["-t", name, "--push", context], { env });
    expect(again.builds).toEqual([]);
    expect(again.stdout).toContain(await findTag());
    await makePackages(context, baseImage, listPackages(4, { p3: 4 }));
    const next = await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"], { store });
    expect(await findTag()).toBe(next.metadata.digest);
  });
});

test("two machines at once: the tag stands for one of their images, whole", async () => {
  const contexts = [`${context}-a`, `${context}-b`];
  await makePackages(contexts[0] ?? "", baseImage, listPackages(4, { p1: 11 }));
  await makePackages(contexts[1] ?? "", baseImage, listPackages(4, { p2: 12 }));
  const built = await Promise.all(
    contexts.map((one) => startMachine(one, ["-t", name, "--push"]).ended),
  );
  for (const outcome of built) assertStatus(outcome, 0);
  const layout = join(sandbox.directory, "pulled");
  await sandbox.exec("skopeo", "copy", "-q", `docker://${name}`, `oci:${layout}:x`);
  const digests = built.map(({ stdout }) => /sha256:[0-9a-f]{64}/.exec(stdout.slice(-200))?.[0]);
  expect(digests).toContain(await findTag());
});

function startMachine(directory: string, args: readonly string[]): Started {
  const store = `${directory}-store`;
  return startXbuild(sandbox, [...args, directory], { env: { XBUILD_STORE: store } });
}

describe("registries.conf", () => {
  test("a mirror, and an alias for a short name", async () => {
    const file = join(sandbox.directory, "registries.conf");
    const { host } = service.proxy;
    await writeFile(
      file,
      `short-name-mode = "permissive"
[aliases]
"shorty" = "${host}/team/app"
[[registry]]
prefix = "nowhere.invalid"
location = "nowhere.invalid"
[[registry.mirror]]
location = "${host}"
`,
    );
    const env = { CONTAINERS_REGISTRIES_CONF: file };
    await mkdir(`${context}-conf`, { recursive: true });
    await makePackages(`${context}-conf`, baseImage, { p4: 1, fresh: 1 });
    for (const reference of ["shorty", "nowhere.invalid/team/app"]) {
      const built = await buildOnFreshMachine(
        sandbox,
        `${context}-conf`,
        ["--cache-from", reference, "-t", "app", "--no-load", "--retry=0"],
        { env },
      );
      expect([reference, built.layers]).toEqual([reference, ["p4-1 kept", "fresh-1 new"]]);
    }
  });
});
