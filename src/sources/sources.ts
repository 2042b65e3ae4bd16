export { detectPacking } from "./archive.ts";
export { fetchSource, fetchText } from "./fetch.ts";
export { findInside } from "./inside.ts";
export type { FetchPlace, RemoteSource } from "./model.ts";
export { describeSource, hideUserInfo, nameSource, nameSourcePlace, parseSource } from "./parse.ts";
