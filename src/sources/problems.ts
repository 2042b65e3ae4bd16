import { exitStatuses, XbuildError } from "../errors.ts";
import { renderSize } from "../units.ts";

/** That an address is none that a context can be fetched from. */
export function refuseAddress(shown: string, reason: string, hint: string): XbuildError {
  return new XbuildError("context-url-invalid", `the context ${shown}: ${reason}`, {
    hint,
    exitStatus: exitStatuses.usage,
  });
}

interface Unavailable {
  readonly hint: string;
  readonly cause?: unknown;
}

/** That a context does not come. */
export function refuseFetch(
  shown: string,
  reason: string,
  { hint, cause }: Unavailable,
): XbuildError {
  return new XbuildError("context-unavailable", `cannot fetch ${shown}: ${reason}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** That what came is no context, or one that is not to be unpacked. */
export function refuseArchive(shown: string, reason: string, hint: string): XbuildError {
  return new XbuildError("context-archive-invalid", `${shown}: ${reason}`, { hint });
}

/** That it expands to more than so many bytes. */
export function refuseBomb(shown: string, most: number): XbuildError {
  const reason = `it expands to more than ${renderSize(most)}`;
  return refuseArchive(shown, reason, "pack it with less compression, or name the directory");
}
