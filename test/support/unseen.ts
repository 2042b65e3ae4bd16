/**
 * The characters of a text that a terminal acts on, or that nobody sees: by their code points, so that it does
 * not hang on the tables that the tool uses.
 */
export function listUnseen(text: string): readonly string[] {
  return Array.from(text).filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    return unseen.some(([first, last]) => code >= first && code <= last);
  });
}

const unseen: readonly (readonly [first: number, last: number])[] = [
  // Control characters.
  [0x00, 0x1f],
  [0x7f, 0x9f],
  // The soft hyphen, marks and overrides of the direction of writing, zero-width ones, isolates, separators.
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  // Lone surrogates, tags.
  [0xd800, 0xdfff],
  [0xe0000, 0xe0fff],
];
