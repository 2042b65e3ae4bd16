import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CollectedLayer } from "../model.ts";
import { collect, createDirectory, layersOf } from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";

// Capabilities of files that were set in a user namespace: version 3, with the user who is root there.

const plain = "0100000200200000000000000000000000000000";
const user = 1000;

/** Version 3 of the same capability, as it holds where this user is root. */
function namespaced(root: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(root);
  return `01000003${plain.slice(8)}${bytes.toString("hex")}`;
}

function makeProgram(tree: string): string {
  mkdirSync(join(tree, "bin"), { recursive: true });
  const program = join(tree, "bin/ping");
  copyFileSync("/bin/true", program);
  chmodSync(program, 0o755);
  return program;
}

/** The same owners and times, whoever made it. */
function settle(output: string): void {
  const paths = ["", "layers", "layers/a", "layers/a/bin", "layers/a/bin/ping"];
  for (const path of paths.toReversed()) utimesSync(join(output, path), 1, 1);
}

/** A tree in which the script, with $1 the program, has run in a user namespace of an ordinary user's. */
function createInNamespace(script: string): string {
  const output = createDirectory();
  chmodSync(output, 0o755);
  const program = makeProgram(join(output, "layers/a"));
  for (const path of ["layers", "layers/a", "layers/a/bin", "layers/a/bin/ping"])
    lchownSync(join(output, path), user, user);
  runAsUser("unshare", "-Ur", "sh", "-c", script, "sh", program);
  settle(output);
  return output;
}

function runAsUser(...command: readonly string[]): Buffer {
  const ids = [`--reuid=${String(user)}`, `--regid=${String(user)}`, "--clear-groups"];
  return execFileSync("setpriv", [...ids, ...command]);
}

/** What a build of root's makes of the same. */
function createAsRoot(owner: number): string {
  const output = createDirectory();
  const program = makeProgram(join(output, "layers/a"));
  for (const path of ["layers/a/bin", "layers/a/bin/ping"])
    chownSync(join(output, path), owner, owner);
  setCapability(program, plain);
  settle(output);
  return output;
}

function setCapability(path: string, hex: string): void {
  execFileSync("setfattr", ["-n", "security.capability", "-v", `0x${hex}`, path]);
}

function readCapability(path: string): string {
  const args = ["--only-values", "-n", "security.capability", "--absolute-names", path];
  return execFileSync("getfattr", args).toString("hex");
}

/** The capability in a layer's archive, and what the layer is. */
async function pack(output: string) {
  const [layer] = layersOf(await collect(output, { compression: "none" }));
  return { layer: identify(layer), capability: findCapability(layer) };
}

function identify(layer: CollectedLayer | undefined) {
  return [layer?.diffId, layer?.descriptor.annotations];
}

function findCapability(layer: CollectedLayer | undefined): string | undefined {
  const archive = execFileSync("cat", [layer?.blob?.path ?? ""]).toString("latin1");
  const found = /(\d+) SCHILY\.xattr\.security\.capability=/.exec(archive);
  if (found === null) return undefined;
  const start = found.index + found[0].length;
  const end = found.index + Number(found[1]) - 1;
  return Buffer.from(archive.slice(start, end), "latin1").toString("hex");
}

const setInNamespace = 'setcap cap_net_raw+ep "$1"';

describe.skipIf(process.getuid?.() !== 0)("capabilities of a user namespace", () => {
  it("are packed as those of root's build, where the namespace is ours", async () => {
    const output = createInNamespace(setInNamespace);
    expect(readCapability(join(output, "layers/a/bin/ping"))).toBe(namespaced(user));
    const expected = await pack(createAsRoot(user));
    const staging = createDirectory();
    chownSync(staging, user, user);
    process.setegid?.(user);
    process.seteuid?.(user);
    onTestFinished(() => {
      process.seteuid?.(0);
      process.setegid?.(0);
    });
    const [layer] = layersOf(await collect(output, { compression: "none", staging }));
    expect(findCapability(layer)).toBe(plain);
    expect(identify(layer)).toEqual(expected.layer);
  });

  it("come as version 2 from a tar that runs there", async () => {
    const output = createInNamespace(setInNamespace);
    const tree = join(output, "layers/a");
    const flags = ["--xattrs", "--xattrs-include=*", "--format=posix", "--owner=0", "--group=0"];
    const archives = createDirectory();
    mkdirSync(join(archives, "layers"));
    const archive = runAsUser("unshare", "-Ur", "tar", ...flags, "-C", tree, "-cf", "-", "bin");
    writeFileSync(join(archives, "layers/a.tar"), archive);
    expect(await pack(archives)).toEqual(await pack(createAsRoot(0)));
  });

  it("stay as they are where they hold for another user alone", async () => {
    const output = createAsRoot(0);
    setCapability(join(output, "layers/a/bin/ping"), namespaced(4242));
    expect((await pack(output)).capability).toBe(namespaced(4242));
    // A namespace in that of the build: what is root there is nobody's root elsewhere.
    const nested = createInNamespace(setInNamespace);
    expect((await pack(nested)).capability).toBe(namespaced(user));
  });
});

describe("capabilities in an archive", () => {
  it.each([
    ["of root's version 3", namespaced(0), plain],
    ["of another user's", namespaced(user), namespaced(user)],
    ["of version 2", plain, plain],
    ["that are too short for version 3", namespaced(0).slice(0, -2), namespaced(0).slice(0, -2)],
    ["that are too long for version 3", `${namespaced(0)}00`, `${namespaced(0)}00`],
    ["of a version to come", namespaced(0).replace("03", "04"), namespaced(0).replace("03", "04")],
  ])("%s", async (_what, given, packed) => {
    const value = Buffer.from(given, "hex").toString("latin1");
    const archives = createDirectory();
    mkdirSync(join(archives, "layers"));
    const archive = rawTar(rawPax([["SCHILY.xattr.security.capability", value]]), rawEntry({}));
    writeFileSync(join(archives, "layers/a.tar"), archive);
    expect((await pack(archives)).capability).toBe(packed);
  });
});
