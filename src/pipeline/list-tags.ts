import type { Workspace } from "../delivery/delivery.ts";
import type { TagPattern } from "./request.ts";

/** So many tags are read side by side. */
export const maxParallel = 8;

/** The tags of a repository (`host[:port]/ns/repo`) in a registry that fit. Errors: those of the registry */
export async function listTags(
  repository: string,
  pattern: TagPattern | undefined,
  { registries, signal }: Pick<Workspace, "registries" | "signal">,
): Promise<readonly string[]> {
  const { withTransfers } = await import("../registry/registry.ts");
  const all = await withTransfers(registries, signal, (one) => one.listTags(repository));
  return all.filter((tag) => pattern?.matches(tag) === true);
}
