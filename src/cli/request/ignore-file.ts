import { join, relative, resolve } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { kindOf, type Sources } from "./locate.ts";

/** The ignore file of a context: named, or beside the Containerfile, or in the context, in buildah's order. */
export async function findIgnoreFile(
  named: string | undefined,
  { file, path: ownPath, context, identity, fetched }: Sources,
  cwd: string,
): Promise<string | undefined> {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    const kind = await kindOf(path);
    // `/dev/null` says that nothing is left out.
    if (kind === "file" || kind === "other") return path;
    throw new XbuildError("file-not-found", `the ignore file ${named} does not exist`, {
      exitStatus: exitStatuses.usage,
    });
  }
  const own = ownPath ?? (file === "-" || fetched ? undefined : resolve(cwd, file));
  const candidates = [
    ...(own === undefined ? [] : [`${own}.dockerignore`, `${own}.containerignore`]),
    join(context, ".containerignore"),
    join(context, ".dockerignore"),
  ];
  for (const path of candidates) {
    if ((await kindOf(path)) !== "file") continue;
    if (fetched !== undefined && path.startsWith(`${context}/`)) {
      const { findInside } = await import("../../sources/sources.ts");
      findInside(context, relative(context, path), identity);
    }
    return path;
  }
  return undefined;
}
