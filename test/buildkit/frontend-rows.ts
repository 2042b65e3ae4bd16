import { beforeAll } from "vitest";
import { type BuildKit, useBuildKit } from "../support/buildkit.ts";
import { pushFrontend } from "../support/frontend.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { type Sandbox, useSandbox } from "../support/sandbox.ts";
import type { Table } from "./build-row.ts";
import { createColumns } from "./columns.ts";
import { makeWorld } from "./world.ts";

/** What rows of the table are built with, by the command and through the frontend. */
export interface FrontendRows {
  readonly sandbox: Sandbox;
  readonly buildKit: BuildKit;
  /** Of the command's columns that of BuildKit alone. */
  readonly table: Table;
  /** The frontend's image. */
  readonly frontend: string;
}

/** Started before the file's tests, and ended after them. */
export function useFrontendRows(): FrontendRows {
  const sandbox = useSandbox();
  const service = useRegistry({ tls: false });
  const buildKit = useBuildKit();
  let made: Pick<FrontendRows, "table" | "frontend"> | undefined;
  beforeAll(async () => {
    await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
    const world = await makeWorld(sandbox, service.proxy.host);
    const all = createColumns(buildKit, sandbox.env["PATH"] ?? "");
    const columns = all.filter(({ name }) => name === "buildkit");
    const frontend = await pushFrontend(sandbox, service.proxy.host);
    made = { table: { sandbox, world, columns }, frontend };
  });
  const get = (): NonNullable<typeof made> => {
    if (made === undefined) throw new Error("the table is there only while tests run");
    return made;
  };
  return {
    sandbox,
    buildKit,
    get table() {
      return get().table;
    },
    get frontend() {
      return get().frontend;
    },
  };
}
