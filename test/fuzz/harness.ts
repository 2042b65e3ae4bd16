import * as fc from "fast-check";
import { XbuildError } from "../../src/errors.ts";

/** Cases of one target; `npm run fuzz` asks for more. */
export const runs = Number(process.env["FUZZ_RUNS"] ?? 2000);
const seed = Number(process.env["FUZZ_SEED"] ?? 1);
/** Milliseconds that a longer run may take for one target. */
export const fuzzTimeout = runs > 2000 ? 6 * 60 * 60 * 1000 : 60_000;

/**
 * Tries a property with as many inputs as are asked for, the same ones for the same seed; the smallest that fails is
 * shown. @returns how many were tried
 */
export async function fuzz<T>(
  inputs: fc.Arbitrary<T>,
  property: (input: T) => void | Promise<void>,
  share = 1,
): Promise<number> {
  const numRuns = Math.ceil(runs * share);
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => property(input)),
    { numRuns, seed },
  );
  return numRuns;
}

/** Must hold of what was read: a case where it does not fails the property. */
export function hold(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

/** What is done to a document: a place in it (0 to 1), how much, and what is put there. */
interface Edit {
  readonly kind: "cut" | "flip" | "insert" | "replace" | "repeat" | "end";
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

function createEdits(tokens: readonly string[]): fc.Arbitrary<readonly Edit[]> {
  const token = fc.constantFrom(...tokens).map((text) => Buffer.from(text, "latin1"));
  const edit = fc.record({
    kind: fc.constantFrom("cut", "flip", "insert", "replace", "repeat", "end"),
    at: fraction,
    length: fc.nat({ max: 40 }),
    bytes: fc.oneof(token, fc.uint8Array({ maxLength: 12 })),
  });
  return fc.array(edit, { maxLength: 6 });
}

type Bytes = Buffer;

function applyEdit(bytes: Bytes, edit: Edit): Bytes {
  const at = Math.floor(edit.at * bytes.length);
  const end = Math.min(bytes.length, at + edit.length);
  const [before, chosen, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, end),
    bytes.subarray(end),
  ];
  if (edit.kind === "cut") return Buffer.concat([before, after]);
  if (edit.kind === "end") return before;
  if (edit.kind === "insert") return Buffer.concat([before, edit.bytes, chosen, after]);
  if (edit.kind === "replace") return Buffer.concat([before, edit.bytes, after]);
  if (edit.kind === "repeat") return Buffer.concat([before, chosen, chosen, chosen, after]);
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (edit.bytes[0] ?? 0x40);
  return flipped;
}

/** Documents that are well or nearly so: one of these, with a few changes, among them what often matters. */
export function mutate(
  documents: readonly (string | Buffer)[],
  tokens: readonly string[],
): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...documents), createEdits(tokens)).map(([document, edits]) => {
    let bytes: Bytes = Buffer.from(document);
    for (const edit of edits) bytes = applyEdit(bytes, edit);
    return bytes;
  });
}

/** Cuts what is read into pieces, as files and connections do. */
export function cutPieces(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)].filter((piece) => piece.length > 0);
}

/** What a parser said: what it read, or the code of its refusal. Any other error fails the property. */
export async function judge<T>(
  action: () => T | Promise<T>,
  codes: RegExp,
): Promise<{ readonly value?: T; readonly code?: string }> {
  try {
    return { value: await action() };
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    hold(codes.test(error.code), `the code ${error.code}`);
    // Nobody reads a message of pages, and its hint says what to do.
    hold(error.message.length < 20_000, "a message is too long");
    return { code: error.code };
  }
}
