import { packText, unpackText } from "./names.ts";

/** Texts that are sorted at once, and read back at once. */
const [runLength, pieceLength] = [16 * 1024, 256];

/**
 * Sorts many texts without slashes, by their characters' codes, in little memory: in runs, each of which is kept as bytes until it is
 * joined with the others.
 */
export function sortLong(texts: Iterable<string>): Iterable<string> {
  const runs: Iterator<string>[] = [];
  let run: string[] = [];
  const endRun = (): void => {
    runs.push(packRun(run.sort()));
    run = [];
  };
  for (const text of texts) if (run.push(text) === runLength) endRun();
  if (run.length > 0) endRun();
  return joinRuns(runs);
}

function packRun(sorted: readonly string[]): Iterator<string> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < sorted.length; at += pieceLength) {
    pieces.push(packText(sorted.slice(at, at + pieceLength).join("/")));
  }
  return unpack(pieces);
}

function* unpack(pieces: readonly Buffer[]): Iterator<string> {
  for (const piece of pieces) yield* unpackText(piece).split("/");
}

interface Head {
  readonly text: string;
  readonly run: Iterator<string>;
}

/** A heap of what each run has next: the least is first, and none is greater than those at twice its place. */
function* joinRuns(runs: readonly Iterator<string>[]): Iterable<string> {
  const heap = runs.flatMap(takeHead).sort((a, b) => (a.text < b.text ? -1 : 1));
  for (let first = heap[0]; first !== undefined; first = heap[0]) {
    yield first.text;
    const [next] = takeHead(first.run);
    const last = next ?? heap.pop();
    if (last !== undefined && heap.length > 0) sink(heap, last);
  }
}

function takeHead(run: Iterator<string>): readonly Head[] {
  const next = run.next();
  return next.done === true ? [] : [{ text: next.value, run }];
}

/** Puts a head into the first place, and lets it down to where it belongs. */
function sink(heap: Head[], head: Head): void {
  let at = 0;
  for (let below = 1; below < heap.length; below = 2 * at + 1) {
    if ((heap[below + 1]?.text ?? head.text) < (heap[below]?.text ?? "")) below += 1;
    const least = heap[below];
    if (least === undefined || least.text >= head.text) break;
    heap[at] = least;
    at = below;
  }
  heap[at] = head;
}
