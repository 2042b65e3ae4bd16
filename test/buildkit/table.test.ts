import { beforeAll, describe, test } from "vitest";
import { useBuildKit } from "../support/buildkit.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { buildRow } from "./build-row.ts";
import type { Case, Ground, World } from "./case.ts";
import { rows } from "./cases/rows.ts";
import { checkRow } from "./check-row.ts";
import { createColumns, type Column } from "./columns.ts";
import { isFew, makeWorld } from "./world.ts";

// One file, the same image on every engine: a row is a build, a column an engine, and the digests are equal. Each
// column builds with nothing but its own cache, and without that (--no-cache).

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
const buildKit = useBuildKit();
let columns: readonly Column[];
let world: World;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  columns = createColumns(buildKit, sandbox.env["PATH"] ?? "");
  world = await makeWorld(sandbox, service.proxy.host);
});

describe.each(["epoch", "registry", "store"] as const)("equal by %s", (ground) => {
  const chosen = rows.filter((row) => listGrounds(row).includes(ground));
  // oxlint-disable-next-line vitest/expect-expect -- `checkRow` does
  test.each(chosen.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    await checkRow(row, await buildRow({ sandbox, world, columns }, row, ground));
  });
});

function listGrounds({ few = [], grounds, differs }: Case): readonly Ground[] {
  if (isFew) return few;
  // Images that differ have no previous image to which all come.
  const possible = grounds ?? (differs === undefined ? ["epoch", "registry"] : ["epoch"]);
  return [...new Set([...few, ...possible])];
}
