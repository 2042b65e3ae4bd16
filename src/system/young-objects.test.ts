import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle.ts";

/** Keeps 50,000 objects alive at a time, and tells the size of the space of young objects in the end. */
const work = `
  const { getHeapSpaceStatistics } = await import("node:v8");
  let kept = [];
  for (let at = 0; at < 3e6; at += 1) {
    kept.push({ at });
    if (kept.length > 50_000) kept = [];
  }
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);
`;

/** In bytes, after what `before` has done. */
function measureYoung(before: string): number {
  const words = ["--input-type=module", "-e", `${before}${work}`];
  return Number(execFileSync(process.execPath, words, { encoding: "utf8", stdio: "pipe" }));
}

test("young objects get no more room than they have, and nothing is said", async () => {
  const { file, remove } = await bundleModule("src/system/young-objects.ts");
  try {
    const limit = `(await import(${JSON.stringify(file)})).limitYoungObjects();`;
    const limited = measureYoung(limit);
    expect(limited).toBeGreaterThan(0);
    expect(limited).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(measureYoung("")).toBeGreaterThan(limited);
  } finally {
    await remove();
  }
});
