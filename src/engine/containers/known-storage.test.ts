import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withTemporaryDirectory } from "../../../test/support/images.ts";
import { recallStorage, rememberStorage } from "./known-storage.ts";
import type { StoragePlace } from "./storage-files.ts";

let root = "";
function place(): StoragePlace {
  return { root, driver: "overlay" };
}

/** A machine's settings of an own user, who has the program. */
async function withUser(action: (home: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (home) => {
    vi.stubEnv("HOME", home);
    vi.stubEnv("XDG_RUNTIME_DIR", home);
    vi.stubEnv("PATH", home);
    await writeFile(join(home, "engine"), "", { mode: 0o755 });
    await mkdir(join(home, ".config", "containers"), { recursive: true });
    root = join(home, ".local", "share", "containers", "storage");
    await mkdir(root, { recursive: true });
    await action(home);
  });
}

/** @returns what is known after it was asked with these settings, and how often it was asked */
async function remember(command = ["engine"], told: object = {}): Promise<number> {
  let asked = 0;
  await rememberStorage(command, async () => {
    asked += 1;
    return { ...place(), ...told };
  });
  return asked;
}

beforeEach(() => {
  vi.stubEnv("CONTAINERS_STORAGE_CONF", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("where an engine's storage is", () => {
  it("is asked once", () =>
    withUser(async () => {
      expect(recallStorage(["engine"])).toBeUndefined();
      expect(await remember()).toBe(1);
      expect(recallStorage(["engine"])).toEqual(place());
      expect(await remember()).toBe(0);
    }));

  it.each([
    ["a file of settings that is new", (home: string) => writeSetting(home, "storage.conf", "x")],
    ["one in a directory of such", (home: string) => writeSetting(home, "storage.conf.d/x", "")],
    ["containers.conf", (home: string) => writeSetting(home, "containers.conf", "[engine]")],
    ["another program", (home: string) => writeFile(join(home, "engine"), "other")],
    ["none", (home: string) => rm(join(home, "engine"))],
    ["a variable", () => void vi.stubEnv("STORAGE_DRIVER", "vfs")],
  ])("is forgotten with %s", (_, change) =>
    withUser(async (home) => {
      await remember();
      await change(home);
      expect(recallStorage(["engine"])).toBeUndefined();
    }),
  );

  it("is another one with other options", () =>
    withUser(async () => {
      await remember();
      expect(recallStorage(["engine", "--root=/other"])).toBeUndefined();
    }));

  it("is not known of another machine, nor where images are in a place of their own", () =>
    withUser(async (home) => {
      await remember(["engine"], { isRemote: true });
      expect(recallStorage(["engine"])).toBeUndefined();
      await writeSetting(home, "storage.conf", 'imagestore = "/images"');
      await remember();
      expect(recallStorage(["engine"])).toBeUndefined();
    }));

  it("is forgotten where a link on the way leads elsewhere", () =>
    withUser(async (home) => {
      const [link, other] = [join(home, "link"), join(home, "other")];
      await symlink(root, link);
      await writeSetting(home, "storage.conf", `[storage]\ngraphroot = "${link}"\n`);
      await remember();
      expect(recallStorage(["engine"])).toEqual(place());
      await rm(link);
      await mkdir(other);
      await symlink(other, link);
      expect(recallStorage(["engine"])).toBeUndefined();
    }));

  it.each([
    ["a variable says where", 'graphroot = "/$OTHER"'],
    ["nobody can tell why it is there", "graphroot = [ 1 ]"],
  ])("is not known where %s", (_, text) =>
    withUser(async (home) => {
      root = join(home, text.includes("$") ? ".local/share/containers/storage" : "elsewhere");
      await mkdir(root, { recursive: true });
      await writeSetting(home, "storage.conf", text);
      await remember();
      expect(recallStorage(["engine"])).toBeUndefined();
    }),
  );

  it("is not known where something else stands in the place of what was written down", () =>
    withUser(async (home) => {
      await remember();
      const [name = ""] = await readdir(join(home, "xbuild", "storages"));
      const record = join(home, "xbuild", "storages", name);
      await rm(record);
      execFileSync("/usr/bin/mkfifo", [record]);
      expect(recallStorage(["engine"])).toBeUndefined();
    }));

  it("cannot be told: then nothing is known, and nothing fails", () =>
    withUser(async () => {
      await rememberStorage(["engine"], () => Promise.reject(new Error("no storage")));
      expect(recallStorage(["engine"])).toBeUndefined();
    }));
});

async function writeSetting(home: string, name: string, text: string): Promise<void> {
  const path = join(home, ".config", "containers", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
}
