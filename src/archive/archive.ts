export { type LayerSource, openArchive } from "./archive-source.ts";
export { createCompressor } from "./compress/compressor.ts";
export { createExpander, detectCompression, type Expander } from "./compress/expand.ts";
export { type LayerIdentity, hashBlob, identifyLayer } from "./identify-layer.ts";
export { type LayerPaths, readLayerPaths } from "./overlap/layer-paths.ts";
export { listParents, readName } from "./overlap/names.ts";
export {
  type Saying,
  type Settled,
  listDisputed,
  listSayings,
  newDirectory,
  settlePath,
} from "./overlap/path-stack.ts";
export { decodePaths, encodePaths } from "./overlap/paths-text.ts";
export { type Meaning, readMeanings } from "./overlap/read-meanings.ts";
export { type PathState, absent, impliedDirectory, isDirectoryState } from "./overlap/state.ts";
export { isUntouched } from "./overlap/untouched.ts";
export { type PackOptions, type PackResult, createPackStream } from "./pack/stream.ts";
export type { Compression } from "./model.ts";
export { parseJson } from "./parse-json.ts";
export { readProgram } from "./programs.ts";
export { readChunks, readStart } from "./read/blob.ts";
export {
  type OutputDirectory,
  type OutputFile,
  assertUnchanged,
  closeDirectory,
  closeFile,
  identifyFile,
  isDirectory,
  openDirectory,
  openFile,
  openOutput,
  showName,
  statName,
} from "./read/directory.ts";
export { changed, wrongType } from "./read/problems.ts";
export { type LayerFile, openLayer } from "./read/layer-file.ts";
export { signTree } from "./read/tree-signature.ts";
export { listNames } from "./read/list-names.ts";
export { type FileStats, describeType } from "./read/stats.ts";
export { type Place, refuse, showBytes, tooLarge } from "./refuse.ts";
export { createEntryChecker } from "./tar/check.ts";
export { encodeEntry } from "./tar/encode.ts";
export {
  type ArchivedEntry,
  type ByteString,
  type Entry,
  blockSize,
  paddingOf,
} from "./tar/entry.ts";
export { refuseTar } from "./tar/problems.ts";
export { createTarReader } from "./tar/reader.ts";
export { openTree } from "./tree-source.ts";
