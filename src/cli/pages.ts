import { findPage, type Code } from "../codes.ts";
import type { CliIo } from "./io.ts";

/** Where the page of a code is, as an address that a browser, an editor or a terminal opens. */
export function locatePage(code: Code, { packageUrl }: Pick<CliIo, "packageUrl">): string {
  return new URL(findPage(code), packageUrl).href;
}

/** The same for each code once: further findings of it say nothing new. */
export function createPages(io: Pick<CliIo, "packageUrl">): (code: Code) => string | undefined {
  const told = new Set<Code>();
  return (code) => {
    if (told.has(code)) return undefined;
    told.add(code);
    return locatePage(code, io);
  };
}
