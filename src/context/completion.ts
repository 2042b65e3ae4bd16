import { openAttributes } from "./attributes.ts";
import { type Known } from "./block-layout.ts";
import { type ContentOptions, readContents } from "./content.ts";
import { createClockCheck } from "./file-systems.ts";
import { type Entry, judgeTrust, kindOf, trust } from "./entry.ts";

/** Reads what is in entries of which it is not known, and hands all of them on in their order. */
export interface Completion {
  /** @returns what is to be waited for before the next one comes */
  readonly add: (entry: Entry, content: string | undefined) => Promise<void> | undefined;
  /** Until all that were added have been handed on. */
  readonly flush: () => Promise<void>;
  /** Until the last one has been handed on. @returns how many files were read */
  readonly finish: () => Promise<number>;
  readonly close: () => void;
}

export interface CompletionOptions extends ContentOptions {
  readonly root: string;
  /** When the look at the tree began, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** Entries that wait for each other, so that what must be read is read side by side. */
const waitingAtMost = 1024;

export function createCompletion(
  options: CompletionOptions,
  handOn: (known: Known) => void,
): Completion {
  const { root, startedAt, signal } = options;
  const attributes = openAttributes(root, signal);
  const hasClock = createClockCheck(root);
  let waiting: Entry[] = [];
  let contents: (string | undefined)[] = [];
  let read = 0;
  const flush = async (): Promise<void> => {
    const [entries, known] = [waiting, contents];
    [waiting, contents] = [[], []];
    const unknown = entries.filter((_, at) => known[at] === undefined);
    read += unknown.filter((entry) => kindOf(entry) === "file").length;
    const [found, more] = await Promise.all([
      readContents(root, unknown, options),
      attributes.read(unknown),
    ]);
    let next = 0;
    for (const [at, entry] of entries.entries()) {
      const fresh = known[at] === undefined ? found[next++] : undefined;
      const content = known[at] ?? addAttributes(fresh?.content, more.get(entry.path));
      // It went away while we looked.
      if (content === undefined) continue;
      const isTrusted = fresh?.isStable !== false && hasClock(entry);
      const trusted = isTrusted ? judgeTrust(entry.ctimeMs, startedAt) : trust.none;
      handOn({ entry, content, trust: trusted });
    }
  };
  return {
    add: (entry, content) => {
      if (content === undefined) attributes.expect(entry);
      contents.push(content);
      return waiting.push(entry) < waitingAtMost ? undefined : flush();
    },
    flush,
    finish: async () => {
      await flush();
      return read;
    },
    close: () => attributes.close(),
  };
}

function addAttributes(
  content: string | undefined,
  attributes: string | undefined,
): string | undefined {
  return content === undefined || attributes === undefined ? content : `${content} ${attributes}`;
}
