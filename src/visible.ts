const brand = Symbol("visible");

/**
 * A text that may be printed: nothing in it that came from outside acts on a terminal. Only this file makes one,
 * so that nobody prints a string by mistake.
 */
export interface Visible {
  readonly visible: string;
  readonly [brand]: true;
}

function make(visible: string): Visible {
  return { visible, [brand]: true };
}

/** What may stand in a template of `show`; strings come from anywhere, and are escaped. */
export type Showable = string | number | Visible;

/**
 * What acts on a terminal or is not seen on one: control characters (C0, DEL, C1), format characters (bidi
 * overrides, zero-width ones), line and paragraph separators, lone surrogates, and what else is drawn as nothing
 * but for the variation selectors of letters and emoji. Unicode 15, sections 23.1 to 23.3 and 5.21; Trojan Source
 * (CVE-2021-42574).
 */
const unseen = /(?![\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/** A text of any origin on one line: what acts on a terminal as `\x1b`, `\u202e`, `\u{e0001}`. Idempotent. */
export function showText(text: string): string {
  return text.replaceAll(unseen, escapeCharacter);
}

/** The same for a text of several lines, whose line ends and tabs are its own. */
export function showLines(text: string): Visible {
  const shown = text.replaceAll(unseen, (character, at: number) => {
    const isLineEnd = character === "\n" || (character === "\r" && text[at + 1] === "\n");
    return isLineEnd || character === "\t" ? character : escapeCharacter(character);
  });
  return make(shown);
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** A template whose own text is printed as it stands, and what is put into it escaped. */
export function show(template: TemplateStringsArray, ...values: readonly Showable[]): Visible {
  const parts = template.map((text, index) => `${text}${render(values[index] ?? "")}`);
  return make(parts.join(""));
}

function render(value: Showable): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? showText(value) : value.visible;
}

/** Texts in a row, with what is ours between them. */
export function joinVisible(parts: readonly Showable[], separator = ""): Visible {
  return make(parts.map(render).join(separator));
}

/**
 * JSON (RFC 8259) for programs, a line end behind it: the same value, in which nothing acts on a terminal that
 * shows it.
 */
export function showJson(value: unknown): Visible {
  return make(`${escapeJson(JSON.stringify(value, undefined, 2))}\n`);
}

/** The same on one line. */
export function showJsonLine(value: object): Visible {
  return make(`${escapeJson(JSON.stringify(value))}\n`);
}

function escapeJson(text: string): string {
  return text.replaceAll(unseen, (character) =>
    character === "\n" ? character : escapeUnits(character),
  );
}

/** JSON knows UTF-16 units alone. */
function escapeUnits(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** SGR parameters, ECMA-48, section 8.3.117. */
const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof styles;

/** Whether ANSI colours are wanted; they are not unless it says so. */
export interface Colors {
  readonly color?: boolean;
}

/**
 * In a colour or weight, where colours are wanted. Not by `util.styleText`, which ends bold and dim by SGR 22 and a
 * colour by SGR 39: the one SGR 0 of ours ends whatever is open.
 */
export function paintText({ color = false }: Colors, style: Style, value: Showable): Visible {
  const text = render(value);
  return make(color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text);
}

/** How many columns a terminal gives a text of `showText`: wide East Asian letters take two, marks none. */
export function countColumns(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += measureCharacter(character);
  return columns;
}

/** The beginning of such a text that takes at most so many columns; `…` stands for what was cut. */
export function cutColumns(text: string, columns: number): string {
  if (countColumns(text) <= columns) return text;
  let cut = "";
  let used = 1;
  for (const character of text) {
    used += measureCharacter(character);
    if (used > columns) break;
    cut += character;
  }
  return columns < 1 ? "" : `${cut}…`;
}

const wide =
  /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u;

function measureCharacter(character: string): number {
  if (/^\p{M}$/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}
