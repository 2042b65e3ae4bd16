import type { Crew } from "./crew.ts";
import { type Entry, kindOf } from "./entry.ts";
import { hasLoneSurrogate } from "./names.ts";

/** The hex sha256 of those of small files that a thread could read as they were found. */
export async function hashInThread(
  crew: Crew,
  root: string,
  entries: readonly Entry[],
): Promise<ReadonlyMap<Entry, string>> {
  const files = entries.filter(
    (entry) => kindOf(entry) === "file" && entry.path !== "" && !hasLoneSurrogate(entry.path),
  );
  if (files.length === 0) return new Map();
  const paths = files.map(({ path }) => path).join("\0");
  const expected = Float64Array.from(files.flatMap(({ size, ctimeMs }) => [size, ctimeMs]));
  const answer = await crew.hash({ root, paths, expected }).catch(() => new Uint8Array());
  const digests = Buffer.from(answer.buffer);
  const marks = files.length * digestLength;
  return new Map(
    files.flatMap((file, at): readonly [Entry, string][] => {
      if (digests[marks + at] !== 1) return [];
      return [[file, digests.toString("hex", at * digestLength, (at + 1) * digestLength)]];
    }),
  );
}

const digestLength = 32;
