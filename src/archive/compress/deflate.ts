import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { constants, deflateRaw } from "node:zlib";

/** Compresses a block with the window before it, up to a byte's border. RFC 1951. */
export type Deflate = (block: Buffer, dictionary: Buffer | undefined) => Promise<Buffer>;

const level = 6;
const chunkSize = 256 * 1024;
/** Threads in Node's pool, which is started with the first thing that is given to it; `cli/main.ts` asks for more. */
const poolSize = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
const maxWorkers = 16;

let chosen: Deflate | undefined;

/** On all cores: by Node's thread pool where that has enough threads, else by threads of our own, of some 20 MB each. */
export function deflateBlock(block: Buffer, dictionary: Buffer | undefined): Promise<Buffer> {
  const cores = availableParallelism();
  const wanted = Math.min(cores, maxWorkers);
  chosen ??= wanted > poolSize ? createWorkerDeflate(wanted) : deflateInPool;
  return chosen(block, dictionary);
}

export function deflateInPool(block: Buffer, dictionary: Buffer | undefined): Promise<Buffer> {
  const options = { level, chunkSize, finishFlush: constants.Z_SYNC_FLUSH };
  return new Promise((resolve, reject) => {
    deflateRaw(
      block,
      dictionary === undefined ? options : { ...options, dictionary },
      (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(error);
      },
    );
  });
}

// A text, so that it needs no file of its own beside a bundle.
const program = `
const { parentPort } = require("node:worker_threads");
const { deflateRawSync, constants } = require("node:zlib");
parentPort.on("message", ({ block, dictionary }) => {
  const options = { level: ${level}, chunkSize: ${chunkSize}, finishFlush: constants.Z_SYNC_FLUSH };
  if (dictionary !== undefined) options.dictionary = dictionary;
  parentPort.postMessage(deflateRawSync(block, options));
});
`;

interface Job {
  readonly block: Buffer;
  readonly dictionary: Buffer | undefined;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** What a thread tells when its job is over. */
interface WorkerPool {
  /** It may have another one. */
  readonly free: (worker: Worker) => void;
  /** It is no more. */
  readonly fail: (error: unknown) => void;
}

/** So many threads at most, started as they are needed; idle ones do not keep the process alive. */
export function createWorkerDeflate(count: number): Deflate {
  const idle: Worker[] = [];
  const queue: Job[] = [];
  let started = 0;
  const start = (): Worker | undefined => {
    if (started === count) return undefined;
    started += 1;
    return new Worker(program, { eval: true });
  };
  // A thread that has died takes no more: who waits for it is told.
  const fail = (error: unknown): void => {
    started -= 1;
    for (const job of queue.splice(0)) job.reject(error);
  };
  const free = (worker: Worker): void => {
    const job = queue.shift();
    if (job === undefined) {
      worker.unref();
      idle.push(worker);
    } else {
      run(worker, job, { free, fail });
    }
  };
  return (block, dictionary) =>
    new Promise((resolve, reject) => {
      queue.push({ block, dictionary, resolve, reject });
      const worker = idle.pop() ?? start();
      if (worker !== undefined) free(worker);
    });
}

function run(worker: Worker, job: Job, pool: WorkerPool): void {
  const onMessage = (bytes: Uint8Array): void => {
    worker.off("error", onError);
    job.resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    pool.free(worker);
  };
  const onError = (error: unknown): void => {
    worker.off("message", onMessage);
    job.reject(error);
    pool.fail(error);
  };
  worker.once("message", onMessage);
  worker.once("error", onError);
  worker.ref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage({ block: job.block, dictionary: job.dictionary });
}
