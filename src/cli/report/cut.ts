import { countColumns, showText } from "../../visible.ts";

/** A text of any origin as a terminal shows it, cut in its middle where it takes more columns than that. */
export function cutText(text: string, columns: number): string {
  const shown = showText(text);
  if (countColumns(shown) <= columns) return shown;
  const room = Math.max(columns - 1, 2);
  const characters = Array.from(new Intl.Segmenter().segment(shown), ({ segment }) => segment);
  const head = takeColumns(characters, Math.ceil(room / 2));
  const tail = takeColumns(characters.toReversed(), Math.floor(room / 2)).toReversed();
  return `${head.join("")}…${tail.join("")}`;
}

function takeColumns(characters: readonly string[], columns: number): readonly string[] {
  let left = columns;
  const end = characters.findIndex((one) => (left -= countColumns(one)) < 0);
  return end < 0 ? characters : characters.slice(0, end);
}
