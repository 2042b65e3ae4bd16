import { restateError, XbuildError } from "../errors.ts";
import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import { listSome } from "../text.ts";
import { type NamedPrevious, readNamed } from "./read-named.ts";
import type { BuildRequest, ReuseRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/**
 * The previous images that have to be asked for: what --cache-from names, in the order given, then the names that the
 * image will be pushed to, then what --cache-tags finds. Of those in a registry only manifest and config are read; a name that no registry
 * has (`localhost/...`) is looked for in the store first.
 * A name that is only pushed to and may not be read (401, 403) counts as not there, with a warning.
 * Errors: whatever else keeps one from being read, naming the reference, unless --ignore-cache-errors.
 */
export async function readRemotes(
  { reuse }: BuildRequest,
  work: BuildRunWorkspace,
): Promise<readonly PreviousImage[]> {
  const references = listReferences(reuse);
  const asked = references.length + (reuse.cacheTags === undefined ? 0 : 1);
  if (asked === 0) return [];
  const done = work.reporter.step("Named previous images");
  const reading = references.map((one, index) =>
    tolerate(
      { ...reuse, isPushedOnly: one.origin === "pushed" },
      () => readNamed(one, { reuse, index }, work),
      work,
    ),
  );
  const read = await Promise.all(reading);
  const remotes = read.filter((one) => one !== undefined);
  const tagged = await tolerate(
    { ...reuse, isPushedOnly: true },
    () => readTags(reuse, work),
    work,
  );
  const found = remotes.length + ((tagged?.length ?? 0) > 0 ? 1 : 0);
  const missing = references.filter((_, index) => read[index] === undefined);
  done(describeFound({ found, asked, missing }));
  return [...remotes, ...(tagged ?? [])];
}

async function readTags(reuse: ReuseRequest, work: BuildRunWorkspace): Promise<PreviousImages> {
  if (reuse.cacheTags === undefined) return [];
  return (await import("./tagged-previous.ts")).readTagged(reuse, work);
}

function listReferences({ cacheFrom, pushes }: ReuseRequest): readonly NamedPrevious[] {
  const named = new Set(cacheFrom.map((one) => one.text));
  const destinations = new Set(pushes.map((one) => one.text));
  const rest = pushes.filter((one) => !named.has(one.text));
  return [
    ...cacheFrom.map((reference): NamedPrevious => {
      return { reference, origin: "named", isDestination: destinations.has(reference.text) };
    }),
    ...rest.map((reference): NamedPrevious => {
      return { reference, origin: "pushed", isDestination: true };
    }),
  ];
}

interface Found {
  readonly found: number;
  readonly asked: number;
  readonly missing: readonly NamedPrevious[];
}

/** A name that is not there is no error: it may be a slip all the same. */
function describeFound({ found, asked, missing }: Found): string {
  const names = missing.map(({ reference }) => reference.text.replace(/^docker:\/\//, ""));
  const gone = names.length === 0 ? "" : `${listSome(names, 3)} not there yet`;
  if (asked === 1) return found === 1 ? "found" : gone || "no tag fits";
  const count = `${found} of ${asked} found`;
  return gone === "" ? count : `${count}: ${gone}`;
}

interface Tolerance extends Pick<ReuseRequest, "ignoreErrors"> {
  /** A name that nobody asked us to read: the push itself says what is allowed. */
  readonly isPushedOnly: boolean;
}

async function tolerate<T>(
  { ignoreErrors, isPushedOnly }: Tolerance,
  action: () => Promise<T | undefined>,
  { reporter, signal }: BuildRunWorkspace,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
    const { code, message } = error;
    // Registries answer so for a tag that is not there yet, too.
    const mayBeNew = isPushedOnly && code === "registry-denied";
    if (!ignoreErrors && !mayBeNew) throw explainCacheError(error);
    const outcome = mayBeNew ? "counts as not there" : "continuing without it";
    reporter.warn({ code, severity: "warning", message: `${message}; ${outcome}` });
    return undefined;
  }
}

function explainCacheError(error: XbuildError): XbuildError {
  const { hint } = error;
  const more = "--ignore-cache-errors builds without this previous image";
  const isSaid = hint?.includes(more) === true;
  return restateError(error, {
    hint: hint === undefined || isSaid ? (hint ?? more) : `${hint}; ${more}`,
  });
}
