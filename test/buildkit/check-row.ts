import { expect } from "vitest";
import type { MachineBuild } from "../support/machines.ts";
import { anyLayers, type Case, type Contents } from "./case.ts";
import type { Row } from "./build-row.ts";
import { describeImage, type ImageText } from "./describe-image.ts";

/** Checks that the columns of a row came to one image, and that it has what it must have. */
export async function checkRow(row: Case, built: Row): Promise<void> {
  const apart: readonly string[] = row.differs?.columns ?? [];
  const reference = await checkEqual([...built].filter(([name]) => !apart.includes(name)));
  if (reference !== undefined) checkContents(reference, row);
  const others = await checkEqual([...built].filter(([name]) => apart.includes(name)));
  if (others === undefined) return;
  // A row whose reason is gone is no longer one that differs.
  expect(others.digest).not.toBe(reference?.digest);
  checkContents(others, { ...row, ...row.differs });
}

/** All that differs is shown: the manifests, the configs, and what is in layers of another digest. */
async function checkEqual(
  built: readonly (readonly [string, MachineBuild])[],
): Promise<ImageText | undefined> {
  const [first, ...others] = built;
  if (first === undefined) return undefined;
  const reference = await describeImage(first[1]);
  for (const [name, build] of others) {
    if (build.metadata.digest === reference.digest) continue;
    expect({ column: name, ...(await describeImage(build)) }).toEqual({
      column: first[0],
      ...reference,
    });
  }
  return reference;
}

function checkContents(
  { names, config, layers }: ImageText,
  { layers: wanted, entries = [], container }: Contents,
): void {
  if (wanted !== anyLayers) expect(names).toEqual(wanted);
  const lines = Object.values(layers).flat();
  const missing = entries.filter(
    (entry) => !lines.some((line) => line === entry || line.startsWith(`${entry} @`)),
  );
  expect({ missing, lines: missing.length === 0 ? [] : lines }).toEqual({ missing: [], lines: [] });
  if (container !== undefined) expect(config.config ?? {}).toEqual(container);
}
