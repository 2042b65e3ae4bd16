/** Where the helper writes down, in `output/`, which name `layer keep` did not find last: no part of the protocol. */
export const unknownNameFile = ".layer-unknown";

/** All that it writes down there for itself: also which tar it has found. */
export const helperNotes: readonly string[] = [unknownNameFile, ".layer-tar"];
