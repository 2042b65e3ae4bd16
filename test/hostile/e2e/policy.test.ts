import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  buildOnFreshMachine,
  type MachineBuild,
  type MachineOptions,
} from "../../support/machines.ts";
import { pushFirstImage } from "../../support/pushed-image.ts";
import { useRegistry } from "../../support/registry-access.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { runXbuild } from "../../support/xbuild.ts";

// What the machine's owner says of registries holds for whatever is read, whoever reads it: each verdict is skopeo's.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

let context: string;
let changed: string;
let name: string;
beforeAll(async () => {
  ({ context, changed, name } = await pushFirstImage(sandbox, service, { count: 3 }));
});

/** Below the user's directory of settings. */
async function writeSetting(path: string, content: object | string): Promise<void> {
  const file = settingPath(path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
}

function settingPath(path: string): string {
  return join(sandbox.directory, ".config/containers", path);
}

const ownSettings = ["policy.json", "registries.conf"];
afterEach(async () => {
  for (const path of ownSettings) await rm(settingPath(path), { force: true });
});

function build(args: readonly string[], options: MachineOptions = {}): Promise<MachineBuild> {
  const names = args.includes("-t") ? [] : ["-t", "app"];
  return buildOnFreshMachine(sandbox, changed, [...names, ...args], options);
}

/** Whether skopeo copies it. */
async function mayCopy(reference: string): Promise<boolean> {
  const directory = join(sandbox.directory, "copied");
  const copied = sandbox.exec("skopeo", "copy", "-q", `docker://${reference}`, `dir:${directory}`);
  return copied.then(
    () => true,
    () => false,
  );
}

const accept = [{ type: "insecureAcceptAnything" }];
const signed = [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/dev/null" }];

/** containers-policy.json(5). `HOST` stands for the registry. */
const policies: Readonly<
  Record<string, { readonly policy: object | string; readonly code: string }>
> = {
  "all registries rejected": {
    policy: { default: accept, transports: { docker: { "": [{ type: "reject" }] } } },
    code: "policy-rejected",
  },
  "the repository rejected": {
    policy: { default: accept, transports: { docker: { "HOST/team/app": [{ type: "reject" }] } } },
    code: "policy-rejected",
  },
  "a signature asked for that nobody made": {
    policy: { default: accept, transports: { docker: { HOST: signed } } },
    code: "policy-rejected",
  },
  "a policy that is no JSON": { policy: "{", code: "registry-settings" },
  "a policy of an unknown kind": {
    policy: { default: accept, transports: { docker: { HOST: [{ type: "nonsense" }] } } },
    code: "registry-settings",
  },
};

describe.each(Object.entries(policies))("%s", (_what, { policy, code }) => {
  const set = (): Promise<void> =>
    writeSetting(
      "policy.json",
      (typeof policy === "string" ? policy : JSON.stringify(policy)).replaceAll(
        "HOST",
        service.proxy.host,
      ),
    );

  test("a previous image is not believed", async () => {
    await set();
    expect(await mayCopy(name)).toBe(false);
    const { stderr, builds } = await build(["--no-load", "--cache-from", name], { status: 1 });
    expect(stderr).toContain(`error[${code}]`);
    expect(builds).toEqual([]);
  });

  // What is broken keeps the engine from working too.
  test.runIf(code === "policy-rejected")("--ignore-cache-errors builds without", async () => {
    await set();
    const args = ["--no-load", "--ignore-cache-errors", "--cache-from", name];
    const { stderr, layers } = await build(args);
    expect(stderr).toContain(`warning[${code}]`);
    expect(layers).toEqual(["p1-1 new", "p2-2 new", "p3-1 new"]);
  });

  test("nor what stands where the image is pushed to", async () => {
    await set();
    const { stderr } = await build(["-t", name, "--push"], { status: 1 });
    expect(stderr).toContain(`error[${code}]`);
  });

  test("nor a base, which the engine pulls", async () => {
    await set();
    const directory = join(sandbox.directory, "based");
    await cp(context, directory, { recursive: true });
    const text = `FROM ${baseImage}\nOUTPUT --from=${name} /layers\nRUN /layers/bin/layer add etc /etc\n`;
    await writeFile(join(directory, "Containerfile.x"), text);
    const options = { status: 125 };
    const { stderr } = await buildOnFreshMachine(sandbox, directory, ["-t", "b"], options);
    expect(stderr).toContain("error[image-pull-failed]");
  });

  test("nor what an image in a registry is put onto", async () => {
    await set();
    const other = name.replace("app", "other");
    const words = [
      "rebase",
      `docker://${name}`,
      "--onto",
      `docker://${name}`,
      "-t",
      `docker://${other}`,
    ];
    const store = join(sandbox.directory, "rebase-store");
    const { status, stderr } = await runXbuild(sandbox, words, { env: { XBUILD_STORE: store } });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`error[${code}]`)]);
    expect(await mayRead(other)).toBe(false);
  });
});

/** `skopeo inspect --raw` asks no policy. */
async function mayRead(reference: string): Promise<boolean> {
  const read = sandbox.exec("skopeo", "inspect", "--raw", `docker://${reference}`);
  return read.then(
    () => true,
    () => false,
  );
}

test("a policy that rejects others is no hindrance", async () => {
  const docker = { "": [{ type: "reject" }], [service.proxy.host]: accept };
  await writeSetting("policy.json", { default: accept, transports: { docker } });
  expect(await mayCopy(name)).toBe(true);
  const { layers } = await build(["--cache-from", name]);
  expect(layers).toEqual(["p1-1 kept", "p2-2 new", "p3-1 kept"]);
});

describe("registries.conf", () => {
  const mirrored = "mirrored.example/team/app:latest";

  test("a registry that is not there, and its mirror: kept by reference, and fetched", async () => {
    const { host } = service.proxy;
    await writeSetting(
      "registries.conf",
      `[[registry]]\nprefix = "mirrored.example"\nlocation = "127.0.0.1:1"\n` +
        `[[registry.mirror]]\nlocation = "${host}"\n`,
    );
    await writeSetting("auth.json", renderAuth([host, `${host}/team`]));
    expect(await mayCopy(mirrored)).toBe(true);
    const kept = await build(["--no-load", "--cache-from", mirrored]);
    expect(kept.layers).toEqual(["p1-1 kept", "p2-2 new", "p3-1 kept"]);
    expect(kept.metadata.layers.map((layer) => layer.verified)).toEqual([false, true, false]);
    const loaded = await build(["--cache-from", mirrored]);
    expect(loaded.metadata.layers.every((layer) => layer.verified)).toBe(true);
  });

  test("another location: what is meant there, and nothing else", async () => {
    const { host } = service.proxy;
    await writeSetting(
      "registries.conf",
      `[[registry]]\nprefix = "mirrored.example/team"\nlocation = "${host}/team"\n`,
    );
    expect(await mayCopy(mirrored)).toBe(true);
    const { layers } = await build(["--no-load", "--cache-from", mirrored]);
    expect(layers).toEqual(["p1-1 kept", "p2-2 new", "p3-1 kept"]);
  });

  test("a registry that is blocked is asked nothing", async () => {
    const { host } = service.proxy;
    await writeSetting("registries.conf", `[[registry]]\nlocation = "${host}"\nblocked = true\n`);
    expect(await mayCopy(name)).toBe(false);
    const before = service.proxy.requests.length;
    const { stderr } = await build(["--no-load", "--cache-from", name], { status: 1 });
    expect(stderr).toContain("error[registry-blocked]");
    expect(service.proxy.requests.length).toBe(before);
  });

  test("a file with a mistake forbids who knows what", async () => {
    await writeSetting("registries.conf", "[[registry]\n");
    expect(await mayCopy(name)).toBe(false);
    const { stderr } = await build(["--no-load", "--cache-from", name], { status: 1 });
    expect(stderr).toContain("error[registry-settings]");
  });
});

function renderAuth(hosts: readonly string[]): string {
  const auth = Buffer.from("user:s3cret-pass").toString("base64");
  return JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { auth }])) });
}

describe("--authfile and certs.d", () => {
  test("an auth file with another password opens nothing", async () => {
    const file = join(sandbox.directory, "wrong.json");
    const auth = Buffer.from("user:other").toString("base64");
    await writeFile(file, JSON.stringify({ auths: { [service.proxy.host]: { auth } } }));
    const args = ["--no-load", "--authfile", file, "--cache-from", name];
    expect((await build(args, { status: 1 })).stderr).toContain("error[registry-denied]");
  });

  test("a certificate authority that is gone from certs.d vouches for nobody", async () => {
    const directory = settingPath(`certs.d/${service.proxy.host}`);
    await cp(directory, `${directory}-kept`, { recursive: true });
    await rm(directory, { recursive: true });
    try {
      expect(await mayCopy(name)).toBe(false);
      const { stderr } = await build(["--no-load", "--cache-from", name], { status: 1 });
      expect(stderr).toContain("error[registry-tls]");
      const args = ["--no-load", "--cert-dir", `${directory}-kept`, "--cache-from", name];
      expect((await build(args)).layers).toEqual(["p1-1 kept", "p2-2 new", "p3-1 kept"]);
    } finally {
      await cp(`${directory}-kept`, directory, { recursive: true });
    }
  });
});
