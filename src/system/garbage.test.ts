import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle.ts";

/** Keeps 100,000 objects, replaces them one after the other, and tells what room young and old ones had at most. */
const work = `
  const { getHeapSpaceStatistics } = await import("node:v8");
  const count = 100_000;
  const kept = Array.from({ length: count }, (_, at) => ({ at, more: [at] }));
  const most = { new_space: 0, old_space: 0 };
  for (let at = 0; at < 4e6; at += 1) {
    kept[(at * 7919) % count] = { at, more: [at] };
    if (at % 10_000 > 0) continue;
    for (const { space_name, space_size } of getHeapSpaceStatistics())
      if (space_size > most[space_name]) most[space_name] = space_size;
  }
  console.log(most.new_space, most.old_space);
`;

/** In bytes, after what `before` has done. */
function measure(before: string): readonly number[] {
  const words = ["--input-type=module", "-e", `${before}${work}`];
  const told = execFileSync(process.execPath, words, { encoding: "utf8", stdio: "pipe" });
  return told.split(" ").map(Number);
}

test("less garbage is kept, of young and of old objects, and nothing is said", async () => {
  const { file, remove } = await bundleModule("src/system/garbage.ts");
  try {
    const limit = `(await import(${JSON.stringify(file)})).limitGarbage();`;
    const [young = 0, old = 0] = measure(limit);
    const [otherYoung = 0, otherOld = 0] = measure("");
    expect(young).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(otherYoung).toBeGreaterThan(young);
    expect(otherOld).toBeGreaterThan(1.5 * old);
  } finally {
    await remove();
  }
});
