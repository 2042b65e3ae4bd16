import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withRuntimeDirectory } from "./runtime-directory.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-runtime-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A user whom nobody is. */
const uid = "4242424";

function look(more: Readonly<Record<string, string>> = {}): string | undefined {
  const env = { HOME: join(directory, "home"), TMPDIR: directory, _CONTAINERS_ROOTLESS_UID: uid };
  return withRuntimeDirectory({ ...env, ...more })["XDG_RUNTIME_DIR"];
}

async function login(path: string): Promise<string> {
  const place = join(directory, path);
  await mkdir(join(place, "containers"), { recursive: true });
  await writeFile(join(place, "containers/auth.json"), "{}");
  return place;
}

// Where `buildah login` and `podman login` of several versions have written.
test.each([
  `containers-user-${uid}/containers`,
  `storage-run-${uid}/containers`,
  `storage-run-${uid}`,
  `podman-run-${uid}`,
  "home/rundir",
])("without a login session, credentials in %s are found", async (path) => {
  const place = await login(path);
  expect(look()).toBe(place);
  expect(look({ XDG_RUNTIME_DIR: "/given" })).toBe("/given");
});

test("where nobody has logged in, it is the user's, and not root's", () => {
  expect(look()).toBe(`/run/user/${uid}`);
});

test("another user's directory is none", async () => {
  const place = await login(`podman-run-${uid}`);
  await chown(place, 12_345, 12_345);
  expect(look()).toBe(`/run/user/${uid}`);
});
