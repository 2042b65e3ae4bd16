import type { createLogUpdate } from "log-update";
import type { Visible } from "../visible.ts";

/** The lines that stand at the bottom of a terminal just now, none wider than so many columns. */
export type LiveLines = (size: ScreenSize) => readonly Visible[];

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Drawing {
  readonly start: () => void;
  /** Takes all away and gives the cursor back. */
  readonly stop: () => void;
  /** Does something with the terminal while nothing is drawn there. */
  readonly above: (action: () => void) => void;
}

/** Milliseconds between two drawings: seconds are seen to pass. */
const interval = 100;

/** Milliseconds without drawing while a window changes its size: what is drawn in between may stay. */
const settling = 300;

type LogUpdate = ReturnType<typeof createLogUpdate>;

/** Draws these lines again and again, at the end of what is printed. What draws is loaded when there is something to draw. */
export function createDrawing(stream: NodeJS.WriteStream, shown: ReadonlySet<LiveLines>): Drawing {
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
