import type { ArchivedEntry } from "../../archive/archive.ts";
import type { EntrySink } from "./entry-data.ts";
import { createCount } from "./limits.ts";
import { createOriginals } from "./originals.ts";
import { explainEntry, refuseEntry, refuseType } from "./problems.ts";
import {
  beginTree,
  endTree,
  nowhere,
  putInTree,
  putPlain,
  type ReceiverPlaces,
  type State,
  type Target,
} from "./put-entry.ts";

export interface Receiver extends EntrySink {
  /** The archive is whole. */
  readonly end: () => void;
  /** It will not be. */
  readonly discard: () => void;
}

/** Puts each entry where it belongs: archives walk a directory at a time, so one tree comes behind the other. */
export function createReceiver(places: ReceiverPlaces): Receiver {
  const state: State = {
    ...places,
    originals: createOriginals(),
    counted: createCount(places.limits),
    tree: undefined,
    file: undefined,
    target: nowhere,
    count: 0,
    copied: 0,
  };
  return {
    start: (entry) => {
      try {
        state.target = placeEntry(state, entry);
      } catch (error) {
        throw explainEntry(error, entry.path);
      }
    },
    data: (bytes) => state.target.write(bytes),
    finish: () => state.target.finish(),
    end: () => endTree(state),
    discard: () => {
      state.tree?.archive.drop();
      state.file?.drop();
    },
  };
}

function placeEntry(state: State, entry: ArchivedEntry): Target {
  const { path, type } = entry;
  if (state.tree !== undefined && path.startsWith(state.tree.prefix))
    return putInTree(state, state.tree, entry);
  endTree(state);
  const [first = "", second, ...deeper] = path.split("/");
  if (path === "") return nowhere;
  if (first === "layers" && deeper.length > 0)
    throw refuseEntry(path, "its directory did not come before it");
  const isLayer = first === "layers" && second !== undefined;
  const isKnown = ["layers", "blobs", "state"].includes(first);
  // Of what belongs nowhere the name is told; there may be hard links to what is in it.
  const isTree = isLayer || (!isKnown && second === undefined);
  if (isTree && type === "directory") return beginTree(state, path, isLayer);
  if (!isKnown && second !== undefined) return nowhere;
  if (type === "file" || type === "hard-link" || type === "directory")
    return putPlain(state, entry);
  if (isLayer || isRead.test(path)) throw refuseType(path, type);
  if (first === "state") return nowhere;
  return putPlain(state, { ...entry, type: "file" });
}

/** What must be a file or a directory, for somebody looks into it. */
const isRead =
  /^(?:layers|state|blobs|blobs\/sha256(?:\/[^]*)?|history\.jsonl?|config\.json|annotations\.json)$/;
