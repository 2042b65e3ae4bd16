import type { ISerializedGast } from "chevrotain";

/**
 * Railroad diagrams of a Chevrotain grammar as one SVG, a row for each rule: what `getSerializedGastProductions`
 * gives is laid out as boxes that know their size and draw themselves.
 */
export function renderRailroad(rules: readonly ISerializedGast[], title: string): string {
  let y = margin;
  const rows: string[] = [];
  let width = 0;
  for (const rule of rules) {
    const diagram = layOutSequence(readChildren(rule));
    rows.push(
      `<text class="rule" x="${margin}" y="${y + 14}">${escapeText(readName(rule))}</text>`,
    );
    const top = y + 28;
    const line = top + diagram.up;
    rows.push(drawLine(margin, line, margin + gap), diagram.draw(margin + gap, line));
    const end = margin + gap + diagram.width;
    rows.push(drawLine(end, line, end + gap));
    rows.push(drawStop(margin, line), drawStop(end + gap, line));
    width = Math.max(width, end + gap + margin);
    y = top + diagram.up + diagram.down + 2 * gap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    style,
    ...rows,
    "</svg>\n",
  ].join("\n");
}

const margin = 16;
const gap = 16;
const boxHeight = 26;
const letterWidth = 8;

const style = `<style>
  .rule { font: bold 14px monospace; }
  .box { fill: #fff; stroke: #444; }
  .rail { fill: none; stroke: #444; }
  text { font: 13px monospace; fill: #111; }
  svg { background: #fff; }
</style>`;

/** A part of a diagram; its rail enters at the left and leaves at the right at the same height. */
interface Box {
  readonly width: number;
  /** How far it reaches above and below its rail. */
  readonly up: number;
  readonly down: number;
  readonly draw: (x: number, y: number) => string;
}

function layOut(node: ISerializedGast): Box {
  const children = readChildren(node);
  switch (node.type) {
    case "Terminal":
      return layOutText(readName(node), { radius: boxHeight / 2 });
    case "NonTerminal":
      return layOutText(readName(node), { radius: 2 });
    case "Option":
      return layOutChoice([layOutSequence([]), layOutSequence(children)]);
    case "Repetition":
      return layOutChoice([layOutSequence([]), layOutLoop(layOutSequence(children))]);
    case "RepetitionMandatory":
      return layOutLoop(layOutSequence(children));
    case "Alternation":
      return layOutChoice(children.map((child) => layOutSequence(readChildren(child))));
    default:
      return layOutSequence(children);
  }
}

function readChildren(node: ISerializedGast): readonly ISerializedGast[] {
  return "definition" in node && Array.isArray(node.definition) ? node.definition : [];
}

/** A token's label, a rule's name. */
function readName(node: ISerializedGast): string {
  if ("label" in node && typeof node.label === "string") return node.label;
  return "name" in node && typeof node.name === "string" ? node.name : "";
}

/** A token's box has round ends, a rule's has not. */
function layOutText(text: string, { radius }: { readonly radius: number }): Box {
  const width = text.length * letterWidth + 20;
  const half = boxHeight / 2;
  return {
    width,
    up: half,
    down: half,
    draw: (x, y) =>
      `<rect class="box" x="${x}" y="${y - half}" width="${width}" height="${boxHeight}" rx="${radius}"/>` +
      `<text x="${x + 10}" y="${y + 4}">${escapeText(text)}</text>`,
  };
}

function layOutSequence(nodes: readonly ISerializedGast[]): Box {
  const boxes = nodes.map((node) => layOut(node));
  const width =
    boxes.reduce((sum, box) => sum + box.width, 0) + gap * Math.max(0, boxes.length - 1);
  return {
    width,
    up: Math.max(0, ...boxes.map(({ up }) => up)),
    down: Math.max(0, ...boxes.map(({ down }) => down)),
    draw: (x, y) => {
      let at = x;
      const parts = boxes.map((box, index) => {
        const start = at;
        at += box.width + gap;
        const rail = index + 1 < boxes.length ? drawLine(start + box.width, y, at) : "";
        return box.draw(start, y) + rail;
      });
      return parts.join("");
    },
  };
}

/** The alternatives below each other, the first on the rail. */
function layOutChoice(boxes: readonly Box[]): Box {
  const inner = Math.max(...boxes.map(({ width }) => width));
  const tops: number[] = [];
  let bottom = 0;
  for (const [index, box] of boxes.entries()) {
    tops.push(index === 0 ? 0 : bottom + gap / 2 + box.up);
    bottom = (tops.at(-1) ?? 0) + box.down;
  }
  const width = inner + 2 * gap;
  return {
    width,
    up: boxes[0]?.up ?? 0,
    down: bottom,
    draw: (x, y) =>
      boxes
        .map((box, index) => {
          const line = y + (tops[index] ?? 0);
          const end = x + gap + box.width;
          const rails =
            drawCurve({ x, y }, { x: x + gap, y: line }) +
            drawLine(end, line, x + width - gap) +
            drawCurve({ x: x + width - gap, y: line }, { x: x + width, y });
          return rails + box.draw(x + gap, line);
        })
        .join(""),
  };
}

/** A way back above the rail. */
function layOutLoop(box: Box): Box {
  const width = box.width + 2 * gap;
  const rise = box.up + gap / 2;
  return {
    width,
    up: rise + 4,
    down: box.down,
    draw: (x, y) => {
      const end = x + width;
      const back = `<path class="rail" d="M${end - gap} ${y} q${gap} ${-rise} ${-gap} ${-rise} H${x + gap} q${-gap} 0 0 ${rise}"/>`;
      return drawLine(x, y, x + gap) + box.draw(x + gap, y) + drawLine(end - gap, y, end) + back;
    },
  };
}

function drawLine(x: number, y: number, to: number): string {
  return x === to ? "" : `<path class="rail" d="M${x} ${y}H${to}"/>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function drawCurve({ x, y }: Point, to: Point): string {
  const middle = (x + to.x) / 2;
  return y === to.y
    ? drawLine(x, y, to.x)
    : `<path class="rail" d="M${x} ${y}C${middle} ${y} ${middle} ${to.y} ${to.x} ${to.y}"/>`;
}

function drawStop(x: number, y: number): string {
  return `<path class="rail" d="M${x} ${y - 6}v12"/>`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
