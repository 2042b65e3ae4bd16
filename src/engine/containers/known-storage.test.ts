import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withTemporaryDirectory } from "../../../test/support/images.ts";
import { recallStorage, rememberStorage } from "./known-storage.ts";

const place = { root: "/storage", driver: "overlay" };

/** A machine's settings of an own user, who has the program. */
async function withUser(action: (home: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (home) => {
    vi.stubEnv("HOME", home);
    vi.stubEnv("XDG_RUNTIME_DIR", home);
    vi.stubEnv("PATH", home);
    await writeFile(join(home, "engine"), "", { mode: 0o755 });
    await mkdir(join(home, ".config", "containers"), { recursive: true });
    await action(home);
  });
}

/** @returns what is known after it was asked with these settings, and how often it was asked */
async function remember(command = ["engine"], told: object = place): Promise<number> {
  let asked = 0;
  await rememberStorage(command, async () => {
    asked += 1;
    return { ...place, ...told };
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
      expect(recallStorage(["engine"])).toEqual(place);
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
