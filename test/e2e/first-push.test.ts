import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  buildOnFreshMachine,
  listPackages,
  makePackages,
  type MachineBuild,
  type MachineOptions,
} from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import type { RequestLine } from "../support/registry-records.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Registries that say little of what is not there yet, and those that want time: what a first push meets.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

const count = 8;
let context: string;
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = join(sandbox.directory, "packages");
  await makePackages(context, baseImage, listPackages(count));
});
afterEach(() => service.proxy.clearFaults());

function build(args: readonly string[], options: MachineOptions = {}): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, args, options);
}

function findTag(name: string): Promise<string> {
  service.proxy.clearFaults();
  return sandbox.exec("skopeo", "inspect", "--format={{.Digest}}", `docker://${name}`);
}

const reads = new Set(["GET", "HEAD"]);

/** As Artifactory and GitLab do: no word of a repository until it has this tag. */
function hideUntilPushed(repository: string, status: number): void {
  let isThere = false;
  service.proxy.fault({
    status,
    match: ({ method, path, authorized }) => {
      if (!authorized || !path.startsWith(`/v2/${repository}/`)) return false;
      if (method === "PUT" && path.includes("/manifests/")) isThere = true;
      return !isThere && reads.has(method);
    },
  });
}

describe.each([401, 403])("a registry that answers %i for what is not there", (status) => {
  const repository = `hidden-${status}`;
  const tag = (): string => `${service.proxy.host}/${repository}:latest`;

  test("takes the first push, and a second one finds all as it was", async () => {
    hideUntilPushed(repository, status);
    const first = await build(["-t", tag(), "--push"]);
    expect(first.stderr).toContain("warning[registry-denied]");
    expect(first.stderr).toContain(tag());
    expect(first.layers).toHaveLength(count);
    const again = await build(["-t", tag(), "--push"]);
    expect(again.stderr).not.toContain("registry-denied");
    expect(again.builds).toEqual([]);
    expect(again.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(await findTag(tag())).toBe(first.metadata.digest);
  });

  test("is an error where --cache-from names it", async () => {
    hideUntilPushed(`${repository}-named`, status);
    const name = `${service.proxy.host}/${repository}-named:x`;
    const outcome = await build(["-t", tag(), "--push", "--cache-from", name], { status: 1 });
    expect(outcome.stderr).toContain("error[registry-denied]");
    expect(outcome.builds).toEqual([]);
  });

  test("and for writing, too: the push is the error", async () => {
    const name = `${service.proxy.host}/closed-${status}:x`;
    service.proxy.fault({
      status,
      match: ({ path, authorized }) => authorized && path.startsWith(`/v2/closed-${status}/`),
    });
    const outcome = await build(["-t", name, "--push"], { status: 1 });
    expect(outcome.stderr).toContain("warning[registry-denied]");
    expect(outcome.stderr).toContain("error[registry-denied]: cannot push");
    expect(outcome.builds).not.toEqual([]);
  });
});

const isUpload = ({ method, path }: RequestLine): boolean =>
  method === "PATCH" && path.includes("/blobs/uploads/");

describe("a registry that wants time", () => {
  test("429 with Retry-After, three times for each upload: each is sent after all", async () => {
    await makePackages(context, baseImage, listPackages(count, { p1: 42, p2: 42, p3: 42, p4: 42 }));
    const refused = new Map<string, number>();
    const rule = service.proxy.fault({
      status: 429,
      headers: { "retry-after": "0" },
      match: (request) => {
        const turn = (refused.get(`${request.length}`) ?? 0) + 1;
        if (isUpload(request)) refused.set(`${request.length}`, turn);
        return isUpload(request) && turn <= 3;
      },
    });
    const name = `${service.proxy.host}/busy:x`;
    const built = await build(["-t", name, "--push"]);
    // More than any number of tries of the push as a whole would have seen.
    expect(rule.hits).toBeGreaterThan(3 * 4);
    expect(await findTag(name)).toBe(built.metadata.digest);
  });

  test("an upload that is refused for ever ends as it is told to", async () => {
    const rule = service.proxy.fault({
      match: isUpload,
      status: 429,
      headers: { "retry-after": "0" },
      delay: 1,
    });
    const args = ["-t", `${service.proxy.host}/never:x`, "--push", "--retry=1"];
    const outcome = await build(args, { status: 1 });
    expect(outcome.stderr).toContain("error[registry-unavailable]: cannot push");
    expect(outcome.stderr).toContain("answers 429");
    expect(rule.hits).toBeGreaterThanOrEqual(2);
  });

  test("405 for every HEAD: what is there is found, and sent once", async () => {
    await makePackages(context, baseImage, listPackages(count));
    const name = `${service.proxy.host}/headless:x`;
    service.proxy.fault({ match: ({ method }) => method === "HEAD", status: 405 });
    const first = await build(["-t", name, "--push"]);
    await makePackages(context, baseImage, listPackages(count, { p2: 77 }));
    service.proxy.reset();
    const next = await build(["-t", name, "--push"]);
    expect(next.layers.filter((layer) => layer.endsWith(" kept"))).toHaveLength(count - 1);
    // The changed layer and the config.
    expect(service.proxy.blobUploads()).toHaveLength(2);
    expect(service.proxy.downloaded()).toBeLessThan(64 * 1024);
    expect(next.metadata.digest).not.toBe(first.metadata.digest);
    expect(await findTag(name)).toBe(next.metadata.digest);
  });
});

describe("credentials that cannot be read", () => {
  test("a helper that says no such file or directory is an error, and not an image that is not there", async () => {
    const home = join(sandbox.directory, "helped");
    await configureAccess(home, service.proxy, { credentials: undefined });
    const bin = join(home, "bin");
    await mkdir(bin);
    const helper = join(bin, "docker-credential-broken");
    await writeFile(
      helper,
      "#!/bin/sh\necho 'open /run/keys: no such file or directory'; exit 1\n",
    );
    await chmod(helper, 0o755);
    const credHelpers = { [service.proxy.host]: "broken" };
    const file = join(home, ".config/containers/auth.json");
    await writeFile(file, JSON.stringify({ auths: {}, credHelpers }));
    const env = { HOME: home, PATH: `${bin}:${sandbox.env["PATH"]}` };
    const args = ["--cache-from", `${service.proxy.host}/app:x`, "-t", "app", "--no-load"];
    const outcome = await build(args, { env, status: 1 });
    expect(outcome.stderr).toContain("error[registry-settings]");
    expect(outcome.stderr).toContain("docker-credential-broken ends with 1");
    expect(outcome.builds).toEqual([]);
  });

  test.each([
    ["--authfile", ["--authfile=/nowhere/auth.json"], {}],
    ["REGISTRY_AUTH_FILE", [], { REGISTRY_AUTH_FILE: "/nowhere/auth.json" }],
  ] as const)(
    "%s that is not there is noticed before anything is done",
    async (what, args, env) => {
      const name = `${service.proxy.host}/unread:x`;
      service.proxy.reset();
      const outcome = await build(["-t", name, "--push", ...args], { env, status: 125 });
      expect(outcome.stderr).toContain("error[usage]");
      expect(outcome.stderr).toContain(what);
      expect(outcome.stderr).toContain("/nowhere/auth.json");
      expect(outcome.builds).toEqual([]);
      expect(service.proxy.requests).toEqual([]);
    },
  );
});
