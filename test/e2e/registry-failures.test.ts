import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  buildOnFreshMachine,
  listPackages,
  makePackages,
  type MachineBuild,
  type MachineOptions,
} from "../support/machines.ts";
import { pushFirstImage } from "../support/pushed-image.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import type { Fault, FaultKind } from "../support/registry-faults.ts";
import type { RequestLine } from "../support/registry-records.ts";
import { registryPassword, registryUser } from "../support/registry.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Registries that fail: an error that says which reference and what to do, or success after another try.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

let context: string;
let changed: string;
let name: string;
let first: MachineBuild;

beforeAll(async () => {
  const options = { repository: "app" };
  ({ context, changed, name, first } = await pushFirstImage(sandbox, service, options));
});

afterEach(() => service.proxy.clearFaults());

function build(args: readonly string[], options: MachineOptions = {}): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, args, options);
}

function buildChanged(
  args: readonly string[],
  options: MachineOptions = {},
): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, changed, args, options);
}

/** The digest that a tag has in the registry, asked past the proxy's faults. */
async function findTag(reference = name): Promise<string> {
  service.proxy.clearFaults();
  return sandbox.exec("skopeo", "inspect", "--format={{.Digest}}", `docker://${reference}`);
}

const isManifestRead = ({ method, path, authorized }: RequestLine): boolean =>
  method === "GET" && path.includes("/manifests/") && authorized;
const isManifestWrite = ({ method, path }: RequestLine): boolean =>
  method === "PUT" && path.includes("/manifests/");
const isBlobRead = ({ method, path, authorized }: RequestLine): boolean =>
  method === "GET" && path.includes("/blobs/") && authorized;
const isUpload = ({ method, path }: RequestLine): boolean =>
  method === "PATCH" && path.includes("/blobs/uploads/");

function manifest(change: (document: Record<string, unknown>) => object): FaultKind {
  const body = Buffer.from(JSON.stringify(change(JSON.parse(firstManifest))));
  return {
    replace: { body, headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } },
  };
}

let firstManifest = "";
beforeAll(async () => {
  firstManifest = await sandbox.exec("skopeo", "inspect", "--raw", `docker://${name}`);
});

interface ReadFailure {
  readonly what: string;
  readonly fault: () => FaultKind;
  readonly code: string;
  readonly env?: Readonly<Record<string, string>>;
}

const readFailures: readonly ReadFailure[] = [
  { what: "401", fault: () => ({ status: 401 }), code: "registry-denied" },
  { what: "403", fault: () => ({ status: 403 }), code: "registry-denied" },
  { what: "500", fault: () => ({ status: 500 }), code: "registry-unavailable" },
  { what: "503", fault: () => ({ status: 503 }), code: "registry-unavailable" },
  {
    what: "a connection that breaks",
    fault: () => ({ resetAfter: 20 }),
    code: "registry-unavailable",
  },
  {
    what: "no answer",
    fault: () => ({ hang: true }),
    code: "registry-unavailable",
    env: { XBUILD_REGISTRY_TIMEOUT: "1" },
  },
  {
    what: "no JSON",
    fault: () => ({ replace: { body: Buffer.from("<html>") } }),
    code: "image-invalid",
  },
  {
    what: "a manifest of another type",
    fault: () =>
      manifest((one) => ({
        ...one,
        config: { ...Object(one["config"]), mediaType: "application/x" },
      })),
    code: "image-unsupported",
  },
  {
    what: "schema 1",
    fault: () => manifest(() => ({ schemaVersion: 1, name: "app", fsLayers: [], history: [] })),
    code: "image-unsupported",
  },
  {
    what: "manifest and index at once",
    fault: () => manifest((one) => ({ ...one, manifests: [] })),
    code: "image-invalid",
  },
  {
    what: "digests in upper case",
    fault: () =>
      manifest((one) => ({
        ...one,
        config: { ...Object(one["config"]), digest: `sha256:${"A".repeat(64)}` },
      })),
    code: "image-invalid",
  },
  {
    what: "a huge manifest",
    fault: () => manifest((one) => ({ ...one, annotations: { big: "x".repeat(5_000_000) } })),
    code: "image-invalid",
  },
  {
    what: "a config that is not the manifest's",
    fault: () =>
      manifest((one) => ({
        ...one,
        config: { ...Object(one["config"]), digest: `sha256:${"0".repeat(64)}` },
      })),
    code: "registry-corrupt",
  },
];

describe("reading the previous image", () => {
  test.each(readFailures)(
    "$what is an error that names the reference",
    async ({ fault, code, env }) => {
      service.proxy.fault({ match: isManifestRead, ...fault() } satisfies Fault);
      const words = ["--cache-from", name, "-t", "app", "--no-load", "--retry=1"];
      const outcome = await buildChanged(words, { status: 1, ...(env && { env }) });
      expect(outcome.stderr).toContain(`error[${code}]`);
      expect(outcome.stderr).toContain(service.proxy.host);
      expect(outcome.stderr).toContain("--ignore-cache-errors");
      expect(outcome.builds).toEqual([]);
    },
  );

  test("--ignore-cache-errors tells of it and builds", async () => {
    service.proxy.fault({ match: isManifestRead, status: 403 });
    const words = ["--cache-from", name, "-t", "app", "--no-load", "--ignore-cache-errors"];
    const outcome = await buildChanged(words);
    expect(outcome.stderr).toContain("warning[registry-denied]");
    expect(outcome.layers.every((layer) => layer.endsWith(" new"))).toBe(true);
  });

  test("an image that is not there is an empty history", async () => {
    const words = ["--cache-from", `${service.proxy.host}/none:x`, "-t", "app", "--no-load"];
    const outcome = await buildChanged(words);
    expect(outcome.layers.every((layer) => layer.endsWith(" new"))).toBe(true);
    expect(outcome.stderr).toContain("not there yet");
  });

  test.each([
    ["503", { status: 503 }],
    ["429", { status: 429, headers: { "retry-after": "0" } }],
    ["a connection that breaks", { resetAfter: 20 }],
    ["one wrong byte", { corrupt: true }],
    ["a wrong byte in a digest", { corrupt: 220 }],
    ["a wrong byte in a name", { corrupt: 3 }],
  ] as const)("%s that passes is asked again", async (_, kind) => {
    const rule = service.proxy.fault({ match: isManifestRead, times: 1, ...kind });
    const built = await buildChanged(["--cache-from", name, "-t", "app", "--no-load"]);
    expect(rule.hits).toBe(1);
    expect(built.layers.filter((layer) => layer.endsWith(" kept"))).toHaveLength(3);
  });
});

const fetchWords = (): readonly string[] => {
  return [
    "--cache-from",
    name,
    "-t",
    "app",
    "-o",
    `oci-archive:${join(sandbox.directory, "x.tar")}`,
  ];
};

const isConfig = ({ path }: RequestLine): boolean => path.endsWith(first.metadata.configDigest);

describe("fetching layers", () => {
  test.each([
    ["a connection that breaks in the middle", { resetAfter: 3000 }],
    ["a wrong byte", { corrupt: true }],
    ["503", { status: 503 }],
  ] as const)("%s: they come after all", async (_, kind) => {
    const rule = service.proxy.fault({
      match: (request) => isBlobRead(request) && !isConfig(request),
      times: 2,
      ...kind,
    });
    const built = await buildChanged(fetchWords());
    expect(rule.hits).toBe(2);
    expect(built.layers.filter((layer) => layer.endsWith(" kept"))).toHaveLength(3);
  });

  test("wrong bytes for good are an error, and the store has none of them", async () => {
    service.proxy.fault({ match: (one) => isBlobRead(one) && !isConfig(one), corrupt: true });
    const outcome = await buildChanged([...fetchWords(), "--retry=1"], { status: 1 });
    expect(outcome.stderr).toContain("error[registry-corrupt]");
    expect(outcome.stderr).toContain(service.proxy.host);
  });
});

describe("pushing", () => {
  test.each([
    ["a connection that breaks in the middle", isUpload, { resetUploadAfter: 3000 }],
    ["503 for a blob", isUpload, { status: 503 }],
    ["503 for the manifest", isManifestWrite, { status: 503 }],
    ["429", isManifestWrite, { status: 429, headers: { "retry-after": "0" } }],
  ] as const)("%s: it succeeds after all", async (_, match, kind) => {
    const to = `${service.proxy.host}/app:retried`;
    await sandbox.exec("skopeo", "copy", "-q", `docker://${name}`, `docker://${to}`);
    await makePackages(
      changed,
      baseImage,
      listPackages(4, { p2: Math.floor(Math.random() * 1e9) }),
    );
    const rule = service.proxy.fault({ match, times: 1, ...kind });
    const built = await buildChanged(["-t", to, "--push"]);
    expect(rule.hits).toBe(1);
    expect(await findTag(to)).toBe(built.metadata.digest);
  });

  test.each([
    ["no right to write", isUpload, { status: 403 }, "registry-denied"],
    ["a registry that is broken", isManifestWrite, { status: 500 }, "registry-unavailable"],
  ] as const)("%s: the tag stays, and the image is in the store", async (_, match, kind, code) => {
    await makePackages(changed, baseImage, listPackages(4, { p2: 3 }));
    const before = await findTag();
    service.proxy.fault({ match, ...kind });
    const outcome = await buildChanged(["-t", name, "--push", "--retry=1"], { status: 1 });
    expect(outcome.stderr).toContain(`error[${code}]`);
    expect(await findTag()).toBe(before);
    // The next try has nothing to build.
    const again = await buildChanged(["-t", name, "--push"], { store: outcome.store });
    expect(again.builds).toEqual([]);
    expect(await findTag()).toBe(again.metadata.digest);
    const old = `docker://${service.proxy.host}/app@${before}`;
    await sandbox.exec("skopeo", "copy", "-q", old, `docker://${name}`);
  });
});

const accessWords = (): readonly string[] => ["--cache-from", name, "-t", "app", "--no-load"];
const noHome = async (): Promise<Readonly<Record<string, string>>> => {
  const home = join(sandbox.directory, "nobody");
  await configureAccess(home, service.proxy, { credentials: undefined });
  return { HOME: home };
};

describe("access", () => {
  const login = `${registryUser}:${registryPassword}`;

  test("a certificate that nobody vouches for", async () => {
    const env = { HOME: join(sandbox.directory, "stranger") };
    const outcome = await build(accessWords(), { env, status: 1 });
    expect(outcome.stderr).toContain("error[registry-tls]");
    expect(outcome.stderr).toContain("--cert-dir");
  });

  test("--cert-dir and --creds", async () => {
    const env = { HOME: join(sandbox.directory, "stranger") };
    const flags = [`--cert-dir=${dirname(service.proxy.caFile ?? "")}`, `--creds=${login}`];
    const built = await build([...accessWords(), ...flags], { env });
    expect(built.metadata.upToDate).toBe(true);
    expect(built.calls.join("\n")).not.toContain(registryPassword);
  });

  test("--tls-verify=false", async () => {
    const env = { HOME: join(sandbox.directory, "stranger") };
    const built = await build([...accessWords(), "--tls-verify=false", `--creds=${login}`], {
      env,
    });
    expect(built.metadata.upToDate).toBe(true);
  });

  test("--authfile", async () => {
    const env = await noHome();
    const file = join(sandbox.directory, "my-auth.json");
    const auth = Buffer.from(login).toString("base64");
    await writeFile(file, JSON.stringify({ auths: { [service.proxy.host]: { auth } } }));
    const built = await build([...accessWords(), `--authfile=${file}`], { env });
    expect(built.metadata.upToDate).toBe(true);
  });

  test("no or wrong credentials are refused, and told to nobody", async () => {
    const env = await noHome();
    const none = await build(accessWords(), { env, status: 1 });
    expect(none.stderr).toContain("error[registry-denied]");
    const wrong = await build([...accessWords(), "--creds=user:wr0ng-pass"], { env, status: 1 });
    expect(wrong.stderr).toContain("error[registry-denied]");
    expect(wrong.stderr + wrong.stdout).not.toContain("wr0ng-pass");
  });

  test("credentials are in no record of a build", async () => {
    const env = await noHome();
    const built = await buildChanged([...accessWords(), `--creds=${login}`, "--explain"], { env });
    expect(built.stdout + built.stderr).not.toContain(registryPassword);
    const found = await sandbox
      .exec(
        "grep",
        "-rlE",
        `${registryPassword}|${Buffer.from(login).toString("base64")}`,
        built.store,
      )
      .catch(() => "");
    expect(found).toBe("");
    expect(await readFile(join(built.store, "index.json"), "utf8")).toContain("localhost/app");
  });
});
