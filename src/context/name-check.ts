import type { Entry } from "./entry.ts";
import { listNames, splitTyped, typeOf } from "./list-names.ts";
import type { WalkOptions } from "./walk.ts";

/** Whether directories have the names that are expected of them, and no others. */
export interface NameCheck {
  /** Lists a directory, of which all that is expected comes next. Errors: the system's. */
  readonly open: (directory: string) => void;
  /** Takes what is expected, in the order of the walk. @returns false where a directory that was listed says otherwise */
  readonly take: (entry: Entry) => boolean;
  /** @returns false where a directory has a name more */
  readonly finish: () => boolean;
}

interface Listing {
  /** What paths of it begin with. */
  readonly prefix: string;
  readonly names: Iterator<readonly [name: string, type: string]>;
}

export function createNameCheck(root: string, { ignore }: Pick<WalkOptions, "ignore">): NameCheck {
  const listings: Listing[] = [];
  function* list(directory: string, prefix: string): Iterator<readonly [string, string]> {
    for (const typed of listNames(root, directory)) {
      const named = splitTyped(typed);
      if (!ignore(`${prefix}${named[0]}`)) yield named;
    }
  }
  const close = (listing: Listing | undefined): boolean => listing?.names.next().done !== false;
  return {
    open: (directory) => {
      const prefix = directory === "" ? "" : `${directory}/`;
      listings.push({ prefix, names: list(directory, prefix) });
    },
    take: (entry) => {
      const { path } = entry;
      let listing = listings.at(-1);
      while (listing !== undefined && !path.startsWith(listing.prefix)) {
        if (!close(listings.pop())) return false;
        listing = listings.at(-1);
      }
      // Names of directories below have listings of their own, if any.
      if (listing === undefined || path.lastIndexOf("/") >= listing.prefix.length) return true;
      const next = listing.names.next();
      if (next.done === true) return false;
      const [name, type] = next.value;
      return (
        listing.prefix.length + name.length === path.length &&
        path.endsWith(name) &&
        type === typeOf(entry)
      );
    },
    finish: () => listings.splice(0).every(close),
  };
}
