import { isAbsolute, join, resolve } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { findInside } from "../../sources/sources.ts";
import { readStandardInput } from "../../system/read-input.ts";
import {
  findDefault,
  kindOf,
  type LocateOptions,
  type Place,
  readSource,
  type Sources,
} from "./locate.ts";

/** The same in a context that was fetched: what it has itself it may name no other file by. */
export async function locateFetched(
  named: string | undefined,
  { context, identity, as }: NonNullable<LocateOptions["fetched"]>,
  { cwd, signal }: Place,
): Promise<Sources> {
  const fetched = { context, identity, fetched: as };
  if (named === "-") return { file: "-", bytes: await readStandardInput(signal), ...fetched };
  if (named === undefined) {
    const found = await findDefault(context, undefined, identity);
    findInside(context, found.shown, identity);
    return readSource(found, fetched, signal);
  }
  const isBeside = isAbsolute(named) || (await kindOf(resolve(cwd, named))) !== undefined;
  const isInside = !isBeside && findInside(context, named, identity) !== undefined;
  const path = isInside ? join(context, named) : resolve(cwd, named);
  if ((await kindOf(path)) !== undefined)
    return readSource({ shown: named, path }, fetched, signal);
  throw new XbuildError("file-not-found", `the file ${named} does not exist`, {
    hint: `check the name; it was looked for in ${cwd} and in ${identity}`,
    exitStatus: exitStatuses.usage,
  });
}
