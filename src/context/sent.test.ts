import { mkdtempSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { hashContext } from "./hash.ts";
import { forgetSent, recordSent } from "./sent.ts";

let directory: string;
let record: string;

beforeEach(() => {
  const place = mkdtempSync(join(tmpdir(), "xbuild-sent-"));
  record = join(place, "record");
  directory = mkdtempSync(join(place, "context-"));
});

function write(name: string, text: string, time: number): void {
  writeFileSync(join(directory, name), text);
  utimesSync(join(directory, name), time, time);
}

async function send(): Promise<string> {
  const { snapshot } = await hashContext(directory, { ignore: () => false });
  return recordSent(record, [snapshot]);
}

test("the name stays while files look otherwise when they are otherwise", async () => {
  write("a", "one", 1000);
  const first = await send();
  expect(await send()).toBe(first);
  write("b", "two", 1000);
  write("a", "another", 1000);
  expect(await send()).toBe(first);
  write("a", "seven 7", 2000);
  expect(await send()).toBe(first);
});

test("it is another one where a file changed that looks as it did at any time before", async () => {
  write("a", "one", 1000);
  const first = await send();
  write("a", "two!", 2000);
  expect(await send()).toBe(first);
  write("a", "six", 1000);
  const second = await send();
  expect(second).not.toBe(first);
  expect(await send()).toBe(second);
  forgetSent(record);
  expect(await send()).not.toBe(second);
});

test("it is another one each time where nothing can be written down", async () => {
  write("a", "one", 1000);
  record = join(directory, "nowhere", "record");
  expect(await send()).not.toBe(await send());
});
