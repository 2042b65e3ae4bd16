import type { Readable } from "node:stream";

/** What a client writes, as it is read. What it has started may hold the other end for as long as it likes. */
export interface ClientStream {
  /** Its bytes, until it ends or is given up. */
  readonly bytes: AsyncIterable<Buffer>;
  /** Since when nothing came that was waited for, in milliseconds as `performance.now()`; undefined while it is not waited for. */
  readonly waitsSince: () => number | undefined;
  /** Ends it, as if its writers had. */
  readonly giveUp: () => void;
}

/** @param touch told of whatever comes */
export function readClientStream(stream: Readable, touch: () => void): ClientStream {
  let since: number | undefined = performance.now();
  let isGivenUp = false;
  async function* read(): AsyncGenerator<Buffer> {
    const chunks: AsyncIterable<Buffer> = stream;
    try {
      for await (const chunk of chunks) {
        touch();
        since = undefined;
        yield chunk;
        since = performance.now();
      }
    } catch (error) {
      if (!isGivenUp) throw error;
    } finally {
      since = undefined;
    }
  }
  return {
    bytes: read(),
    waitsSince: () => since,
    giveUp: () => {
      isGivenUp = true;
      stream.destroy();
    },
  };
}

export interface Lingering {
  readonly streams: readonly ClientStream[];
  /** Settles when all of them were read. */
  readonly read: Promise<unknown>;
  /** How long one may stay open without a byte when its client has ended, in milliseconds. */
  readonly time: number;
  /** The same where the client was ended by us: whoever takes the bytes is then not waited for either. */
  readonly isShort: () => boolean;
}

const shortTime = 2000;
const pollTime = 100;

/** Waits, of a client that has ended, for what it wrote. @returns whether its streams had to be given up */
export async function awaitStreams({ streams, read, time, isShort }: Lingering): Promise<boolean> {
  const ended = performance.now();
  let isSettled = false;
  const settled = read.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  const isHeld = (): boolean => {
    const now = performance.now();
    if (isShort() && now - ended >= shortTime) return true;
    return streams.some((one) => now - Math.max(one.waitsSince() ?? now, ended) >= time);
  };
  await Promise.race([settled, pollUntil(() => isSettled || isHeld())]);
  if (isSettled) return false;
  for (const one of streams) one.giveUp();
  if (!isShort()) await settled;
  return true;
}

function pollUntil(isOver: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!isOver()) return;
      clearInterval(timer);
      resolve();
    }, pollTime);
  });
}
