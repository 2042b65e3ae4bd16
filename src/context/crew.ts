import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { smallFile, statFields } from "./entry.ts";

/** Paths of files, relative to the root, one behind the other with a NUL between; none that is no UTF-8. */
interface Paths {
  readonly root: string;
  readonly paths: string;
}

/** Threads that look at files and read small ones while this one goes on. */
export interface Crew {
  /** How many have started by now. */
  readonly size: () => number;
  /** `statFields` of each path; the first is NaN where it cannot be told. */
  readonly stat: (paths: Paths) => Promise<Float64Array>;
  /**
   * The sha256 of each file, and behind them a byte for each: 1 where the file had that size and ctime (both are given
   * for each) before and after, else 0: then nothing is said of it.
   */
  readonly hash: (paths: Paths & { readonly expected: Float64Array }) => Promise<Uint8Array>;
  readonly close: () => void;
}

// A text, so that it needs no file of its own beside a bundle.
const program = `
const { parentPort } = require("node:worker_threads");
const { closeSync, constants, fstatSync, lstatSync, openSync, readSync } = require("node:fs");
const { hash: hashBytes } = require("node:crypto");
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const buffer = Buffer.allocUnsafe(${smallFile + 1});
function stat(paths) {
  const fields = new Float64Array(paths.length * ${statFields.length});
  paths.forEach((path, index) => {
    let at = index * ${statFields.length};
    try {
      const status = lstatSync(path);
      ${statFields.map((field) => `fields[at++] = status.${field};`).join("\n      ")}
    } catch {
      fields[at] = NaN;
    }
  });
  return fields;
}
function hashFile(path, size, ctimeMs) {
  const file = openSync(path, flags);
  try {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    const digest = hashBytes("sha256", buffer.subarray(0, length), "buffer");
    const status = fstatSync(file);
    const isSame = length === size && status.size === size && status.ctimeMs === ctimeMs;
    return isSame ? digest : undefined;
  } finally {
    closeSync(file);
  }
}
function hash(paths, expected) {
  const digests = new Uint8Array(paths.length * 33);
  paths.forEach((path, index) => {
    try {
      const digest = hashFile(path, expected[2 * index], expected[2 * index + 1]);
      if (digest === undefined) return;
      digests.set(digest, 32 * index);
      digests[32 * paths.length + index] = 1;
    } catch {}
  });
  return digests;
}
parentPort.on("message", ({ root, paths, expected }) => {
  const all = paths.split("\\0").map((path) => root + "/" + path);
  const answer = expected === undefined ? stat(all) : hash(all, expected);
  parentPort.postMessage(answer, [answer.buffer]);
});
`;

/** More would wait for the disk, or for the one who gives them work. */
const maxSize = 4;

/** As many threads as there are cores, and none where there is but one. They do not keep the process alive. */
export function startCrew(): Crew | undefined {
  const cores = availableParallelism();
  if (cores === 1) return undefined;
  const hands = Array.from({ length: Math.min(cores, maxSize) }, startHand);
  const ask = (job: Job): Promise<Answer> => {
    const least = hands.reduce((one, other) => (other.load() < one.load() ? other : one));
    return least.ask(job);
  };
  return {
    size: () => hands.filter((one) => Number.isFinite(one.load())).length,
    stat: async (job) => new Float64Array((await ask(job)).buffer),
    hash: async (job) => new Uint8Array((await ask(job)).buffer),
    close: () => hands.forEach((one) => one.close()),
  };
}

type Job = Paths & { readonly expected?: Float64Array };
type Answer = Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Hand {
  /** What it has to do; without end until it has started. */
  readonly load: () => number;
  readonly ask: (job: Job) => Promise<Answer>;
  readonly close: () => void;
}

/** What they make is small, and does not last. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

const ended = new Error("the thread has ended");

/** One thread, which answers in the order in which it is asked. */
function startHand(): Hand {
  const worker = new Worker(program, { eval: true, resourceLimits });
  const waiting: Waiting[] = [];
  let canWork = false;
  worker.unref();
  worker.on("online", () => (canWork = true));
  worker.on("message", (answer: Answer) => {
    waiting.shift()?.resolve(answer);
    if (waiting.length === 0) worker.unref();
  });
  // A thread that has died says nothing more: who waits for it is told.
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    canWork = false;
    for (const one of waiting.splice(0)) one.reject(ended);
  });
  return {
    load: () => (canWork ? waiting.length : Number.POSITIVE_INFINITY),
    ask: async (job) => {
      if (!canWork) throw ended;
      worker.ref();
      const answered = new Promise<Answer>((resolve, reject) => waiting.push({ resolve, reject }));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(job);
      return answered;
    },
    close: () => {
      canWork = false;
      void worker.terminate();
    },
  };
}
