import type { CliIo } from "../io.ts";
import { usageError } from "../line/arguments.ts";
import { isRemoteContext, locateSources, type NamedSources, type Sources } from "./locate.ts";

/** Where a command line says that file and context are, and how much is told while they are fetched. */
export interface NamedAnywhere extends NamedSources {
  readonly isQuiet?: boolean;
}

/**
 * As `locateSources`; a context or a file that is not on this machine is fetched first. Errors: as `locateSources` and
 * `fetchContext`; `usage` where both are to be read from standard input.
 */
export async function locateAnywhere(named: NamedAnywhere, io: CliIo): Promise<Sources> {
  const { file, context, isQuiet = false } = named;
  const isElsewhere = context !== undefined && isRemoteContext(context);
  const isUrl = file !== undefined && /^https?:\/\//.test(file);
  if (!isElsewhere && !isUrl) return locateSources(named, io);
  if (context === "-" && file === "-") {
    throw usageError(
      "standard input cannot be both the context and the Containerfile",
      "name a file for one of them",
    );
  }
  const { fetchContainerfile, fetchContext } = await import("./fetch-context.ts");
  const fetched = isElsewhere ? await fetchContext(context, { isQuiet }, io) : undefined;
  const options = fetched === undefined ? {} : { fetched };
  if (!isUrl) return locateSources(named, io, options);
  const text = await fetchContainerfile(file, { isQuiet }, io);
  if (fetched !== undefined) {
    const { as, context: directory, identity } = fetched;
    return { ...text, context: directory, identity, fetched: as };
  }
  const { locateContext } = await import("./locate.ts");
  const directory = await locateContext(context ?? ".", io.cwd);
  return { ...text, context: directory, identity: directory };
}
