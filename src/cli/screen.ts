import type { createLogUpdate } from "log-update";
import type { Visible } from "../visible.ts";
import { holdLines, type HeldLines } from "./held-lines.ts";

/** The lines that stand at the bottom of a terminal just now, none wider than so many columns. */
export type LiveLines = (size: ScreenSize) => readonly Visible[];

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** The part of a terminal that is written over, below all that is printed. */
export interface Screen {
  /** Whether there is one: stderr is a terminal. */
  readonly isLive: boolean;
  /** Draws these lines, again and again. @returns takes them away */
  readonly show: (lines: LiveLines) => () => void;
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

/** Milliseconds between two drawings: seconds are seen to pass. */
const interval = 100;

/** Milliseconds without drawing while a window changes its size: what is drawn in between may stay. */
const settling = 300;

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
    if (stream.isTTY && (lines !== undefined || shown.size > 0)) {
      const holder = lines ?? holdLines((whole) => drawing.above(() => void stream.write(whole)));
      held.set(stream, holder);
      holder.write(text);
    } else stream.write(text);
  };
  const flush = (): void => {
    for (const one of held.values()) one.end();
    held.clear();
  };
  return {
    isLive,
    show: (lines) => {
      shown.add(lines);
      drawing.start();
      return () => {
        if (!shown.delete(lines) || shown.size > 0) return;
        drawing.stop();
        flush();
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

interface Drawing {
  readonly start: () => void;
  /** Takes all away and gives the cursor back. */
  readonly stop: () => void;
  /** Does something with the terminal while nothing is drawn there. */
  readonly above: (action: () => void) => void;
}

type LogUpdate = ReturnType<typeof createLogUpdate>;

function createDrawing(stream: NodeJS.WriteStream, shown: ReadonlySet<LiveLines>): Drawing {
  let update: LogUpdate | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isDrawn = false;
  let quietUntil = 0;
  const resize = (): void => {
    quietUntil = performance.now() + settling;
  };
  const clear = (): void => {
    if (isDrawn) update?.clear();
    isDrawn = false;
  };
  const draw = (): void => {
    if (performance.now() < quietUntil) return;
    const { columns, rows } = stream;
    const lines = [...shown].flatMap((one) => one({ columns, rows })).slice(0, rows - 1);
    if (lines.length === 0) return clear();
    if (update === undefined) return void load();
    update(lines.map(({ visible }) => visible).join("\n"));
    isDrawn = true;
  };
  const load = async (): Promise<void> => {
    const library = await import("log-update");
    update ??= library.createLogUpdate(stream);
  };
  return {
    start: () => {
      if (timer !== undefined) return;
      timer = setInterval(draw, interval).unref();
      stream.on("resize", resize);
    },
    stop: () => {
      stream.off("resize", resize);
      clearInterval(timer);
      timer = undefined;
      clear();
      update?.done();
    },
    above: (action) => {
      const wasDrawn = isDrawn;
      clear();
      action();
      if (wasDrawn) draw();
    },
  };
}

/** For whoever has no terminal. */
export const noScreen: Screen = {
  isLive: false,
  show: () => () => undefined,
  onEnd: () => undefined,
};
