import { createDrawing, type LiveLines } from "./drawing.ts";
import { holdLines, type HeldLines } from "../held-lines.ts";

/** The part of a terminal that is written over, below all that is printed. */
export interface Screen {
  /** Whether there is one: stderr is a terminal. */
  readonly isLive: boolean;
  /** Draws these lines, again and again. @returns takes them away */
  readonly show: (lines: LiveLines) => () => void;
  /** Leaves the terminal to somebody else. @returns goes on drawing */
  readonly pause: () => () => void;
  /** Told when the command is over; undefined: it went well. @returns whether the failure is told so */
  readonly onEnd: (listener: EndListener) => void;
}

export type EndListener = (failure: unknown) => boolean;

/** The same for whoever owns the streams. */
export interface OwnedScreen extends Screen {
  /** Prints above the lines. */
  readonly write: (stream: NodeJS.WriteStream, text: string | Uint8Array) => void;
  /** Leaves the terminal as it was. @returns whether somebody has told of the failure */
  readonly end: (failure?: unknown) => boolean;
}

/** A screen on stderr. What draws is loaded when there is something to draw. */
export function createScreen(stderr: NodeJS.WriteStream, env: NodeJS.ProcessEnv): OwnedScreen {
  // One that does not know its size says 0.
  const isLive = stderr.isTTY && env["TERM"] !== "dumb" && stderr.columns > 0;
  const shown = new Set<LiveLines>();
  const listeners: EndListener[] = [];
  const held = new Map<NodeJS.WriteStream, HeldLines>();
  const drawing = createDrawing(stderr, shown);
  const write: OwnedScreen["write"] = (stream, text) => {
    const lines = held.get(stream);
    if (stream.isTTY && pauses === 0 && (lines !== undefined || shown.size > 0)) {
      const holder = lines ?? holdLines((whole) => drawing.above(() => void stream.write(whole)));
      held.set(stream, holder);
      holder.write(text);
    } else stream.write(text);
  };
  let pauses = 0;
  const flush = (): void => {
    for (const one of held.values()) one.end();
    held.clear();
  };
  return {
    isLive,
    show: (lines) => {
      shown.add(lines);
      if (pauses === 0) drawing.start();
      return () => {
        if (!shown.delete(lines) || shown.size > 0) return;
        drawing.stop();
        flush();
      };
    },
    pause: () => {
      pauses += 1;
      drawing.stop();
      flush();
      return () => {
        pauses -= 1;
        if (pauses === 0 && shown.size > 0) drawing.start();
      };
    },
    onEnd: (listener) => void listeners.push(listener),
    write,
    end: (failure) => {
      let isTold = false;
      for (const listener of listeners.splice(0))
        isTold = listener(isTold ? undefined : failure) || isTold;
      shown.clear();
      drawing.stop();
      flush();
      return isTold;
    },
  };
}

/** For whoever has no terminal. */
export const noScreen: Screen = {
  isLive: false,
  show: () => () => undefined,
  pause: () => () => undefined,
  onEnd: () => undefined,
};
