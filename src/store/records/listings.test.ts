import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withStore } from "../../../test/support/store.ts";
import { findListing, keepListing } from "./listings.ts";

const blob = `sha256:${"1".repeat(64)}` as const;

test("what was read of a blob is kept until it is removed, or is not what was written", () =>
  withStore(async (store) => {
    const cache = join(store.directory, "cache");
    expect(await findListing(store, blob)).toBeUndefined();
    await keepListing(store, blob, Buffer.from("a\nb"));
    expect((await findListing(store, blob))?.toString()).toBe("a\nb");
    const [name = ""] = await readdir(cache);
    await writeFile(join(cache, name), `sha256:${"2".repeat(64)}\na\nb`);
    expect(await findListing(store, blob)).toBeUndefined();
    await writeFile(join(cache, name), "a");
    expect(await findListing(store, blob)).toBeUndefined();
    await rm(cache, { recursive: true });
    expect(await findListing(store, blob)).toBeUndefined();
    await keepListing(store, blob, Buffer.from(""));
    expect((await findListing(store, blob))?.toString()).toBe("");
  }));
