/** What every frame with data begins with; not in its parts, for two chunks may share it. */
export const frameStart = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A stretch of a chunk that belongs to a frame with data. */
export interface FramePart {
  readonly start: number;
  readonly end: number;
  /** Whether the frame ends with it. */
  readonly isLast: boolean;
}

interface Scan {
  phase: "magic" | "descriptor" | "block" | "skippable";
  /** The field that is being collected, little-endian, and how many of its bytes are there and wanted. */
  field: number;
  have: number;
  want: number;
  /** Bytes to pass over before the next field. */
  skip: number;
  hasChecksum: boolean;
  /** Whether the frame has data, so that its bytes are parts. */
  isFrame: boolean;
  /** Whether the frame ends once the bytes to skip are over. */
  isEnding: boolean;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/**
 * Finds where the frames of a zstd stream begin and end, without expanding them: Node's own decompressor
 * stops after the first one and says nothing about what stands behind it. RFC 8878, 3.1. What is no
 * frame makes `scan` throw.
 */
export function createFrameScanner(): {
  readonly scan: (chunk: Buffer) => readonly FramePart[];
  /** Whether the stream may end here. */
  readonly isComplete: () => boolean;
} {
  const state: Scan = {
    phase: "magic",
    field: 0,
    have: 0,
    want: 4,
    skip: 0,
    hasChecksum: false,
    isFrame: false,
    isEnding: false,
  };
  return {
    scan: (chunk) => scanChunk(state, chunk),
    isComplete: () => state.phase === "magic" && state.have === 0,
  };
}

function scanChunk(state: Scan, chunk: Buffer): readonly FramePart[] {
  const parts: FramePart[] = [];
  let start = 0;
  let at = 0;
  while (at < chunk.length) {
    if (state.skip > 0) {
      const skipped = Math.min(state.skip, chunk.length - at);
      state.skip -= skipped;
      at += skipped;
    } else {
      const wasMagic = state.phase === "magic";
      at += 1;
      takeByte(state, chunk[at - 1] ?? 0);
      if (wasMagic) start = at;
    }
    if (state.skip > 0 || !state.isEnding) continue;
    if (state.isFrame) parts.push({ start, end: at, isLast: true });
    startField(state, "magic", 4);
    state.isEnding = false;
    state.isFrame = false;
  }
  if (state.isFrame && start < at) parts.push({ start, end: at, isLast: false });
  return parts;
}

function takeByte(state: Scan, byte: number): void {
  state.field += byte * 256 ** state.have;
  state.have += 1;
  if (state.have === state.want) takeField(state);
}

function takeField(state: Scan): void {
  const { field } = state;
  if (state.phase === "magic") takeMagic(state, field);
  else if (state.phase === "descriptor") takeDescriptor(state, field);
  else if (state.phase === "block") takeBlock(state, field);
  else {
    state.skip = field;
    state.isEnding = true;
  }
}

function takeMagic(state: Scan, magic: number): void {
  state.isFrame = magic === frameMagic;
  if (state.isFrame) startField(state, "descriptor", 1);
  else if (magic - (magic % 16) === skippableMagic) startField(state, "skippable", 4);
  else throw new Error("what follows a frame is not a frame");
}

function takeDescriptor(state: Scan, descriptor: number): void {
  const isSingle = (descriptor & 0x20) !== 0;
  state.hasChecksum = (descriptor & 0x04) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
  const size = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  startField(state, "block", 3);
  state.skip = (isSingle ? 0 : 1) + dictionary + size;
}

function takeBlock(state: Scan, header: number): void {
  const type = (header >> 1) & 0x03;
  if (type === 3) throw new Error("a block has a reserved type");
  startField(state, "block", 3);
  state.skip = type === 1 ? 1 : header >> 3;
  if ((header & 0x01) === 0) return;
  state.skip += state.hasChecksum ? 4 : 0;
  state.isEnding = true;
}

function startField(state: Scan, phase: Scan["phase"], want: number): void {
  state.phase = phase;
  state.field = 0;
  state.have = 0;
  state.want = want;
}
