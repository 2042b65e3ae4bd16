import { renderSize } from "../../units.ts";
import { countColumns, cutColumns, joinVisible, paintText, show, showText } from "../../visible.ts";
import type { Colors, Visible } from "../../visible.ts";
import type { OpenStep, StepOutcome } from "./steps.ts";
import { renderDuration } from "./text.ts";

/** Milliseconds after which a person notices that something takes time: a brief step is one to tell of then. */
export const noticed = 1000;

/** A step begins. */
export function renderBegin({ title }: OpenStep, colors: Colors): Visible {
  return show`${paintText(colors, "bold", `==> ${title}`)}\n`;
}

/** It ended, and how. */
export function renderEnd(
  { title }: OpenStep,
  { result, isFailed, took }: StepOutcome,
  colors: Colors,
): Visible {
  const [sign, style] = isFailed ? (["✗", "red"] as const) : (["✓", "green"] as const);
  const word = result === undefined ? "" : `: ${result}`;
  const time = paintText(colors, "dim", `(${renderDuration(took)})`);
  return show`${paintText(colors, style, `  ${sign} ${title}`)}${word} ${time}\n`;
}

/** It goes on: so long by now, so far, and at what. */
export function renderGoing(step: OpenStep): Visible {
  const { now } = step.progress;
  const text = `    ${step.title} (${renderFacts(step)})${now === undefined ? "" : `: ${now}`}`;
  return show`${text}\n`;
}

/** The same on one line of a terminal, which is not filled to its last column: there terminals wrap. */
export function renderLive(step: OpenStep, columns: number, colors: Colors): Visible {
  const facts = ` (${renderFacts(step)})`;
  const room = columns - 1 - mark.length;
  const title = cutColumns(showText(step.title), room - facts.length);
  const rest = room - countColumns(title) - facts.length;
  const { now } = step.progress;
  const isShown = now !== undefined && rest > shortest;
  const told = isShown ? cutColumns(showText(`: ${now}`), rest) : "";
  const parts = [mark, paintText(colors, "bold", title), paintText(colors, "dim", facts), told];
  return joinVisible(parts);
}

const mark = "  • ";
/** Fewer columns tell nothing. */
const shortest = 8;

function renderFacts({ started, progress: { bytes, total } }: OpenStep): string {
  const time = renderDuration(performance.now() - started);
  if (bytes === undefined) return time;
  const size =
    total === undefined
      ? renderSize(bytes)
      : `${renderSize(Math.min(bytes, total))} of ${renderSize(total)}`;
  return `${time}, ${size}`;
}
