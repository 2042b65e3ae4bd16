/**
 * Text is held as one character a byte (latin1), so that an offset counts bytes and bytes that are
 * no UTF-8 come through unchanged. What BuildKit decides on runes is decided here on their bytes.
 */

const notAscii = /[^\0-\x7f]/;

const validSequence =
  /((?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+)|[^]/g;
const replacement = "\xef\xbf\xbd";

/** The text that a person reads: decoded as UTF-8, each byte that is none as U+FFFD, as Go has it. */
export function decodeBytes(text: string): string {
  if (!notAscii.test(text)) return text;
  const decoded = Buffer.from(text, "latin1").toString("utf8");
  if (!decoded.includes("\ufffd")) return decoded;
  const repaired = text.replaceAll(validSequence, (_, valid) => valid ?? replacement);
  return Buffer.from(repaired, "latin1").toString("utf8");
}

/** The inverse of {@link decodeBytes}: one character for each byte of the text's UTF-8. */
export function encodeBytes(text: string): string {
  return notAscii.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** White space as Go's unicode.IsSpace has it, for one code point of decoded text. */
export function isSpace(character: string): boolean {
  return /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(character);
}

/** The same for a single byte taken as a code point, which is how BuildKit reads flags. */
export function isByteSpace(byte: string): boolean {
  return byte === " " || (byte >= "\t" && byte <= "\r") || byte === "\u0085" || byte === "\u00a0";
}

// What of that white space is more than one byte in UTF-8.
const wideSpace =
  /\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80/y;

/** The offset of the first byte from `from` on that is no white space, and no more than `to`. */
export function skipSpaces(text: string, from: number, to = text.length): number {
  let at = from;
  for (; at < to; at += 1) {
    const byte = text.charAt(at);
    if (byte === " " || (byte >= "\t" && byte <= "\r")) continue;
    const width = byte < "\x80" ? 0 : wideSpaceAt(text, at);
    if (width === 0 || at + width > to) break;
    at += width - 1;
  }
  return Math.min(at, to);
}

function wideSpaceAt(text: string, at: number): number {
  wideSpace.lastIndex = at;
  return wideSpace.test(text) ? wideSpace.lastIndex - at : 0;
}

/** The offset behind the last byte before `to` that is no white space, and no less than `from`. */
export function skipSpacesBack(text: string, from: number, to: number): number {
  let end = to;
  for (;;) {
    const width = spaceWidthBefore(text, from, end);
    if (width === 0) return end;
    end -= width;
  }
}

function spaceWidthBefore(text: string, from: number, end: number): number {
  if (end <= from) return 0;
  const last = text.charAt(end - 1);
  if (last === " " || (last >= "\t" && last <= "\r")) return 1;
  if (last < "\x80") return 0;
  return (
    [2, 3].find((width) => end - width >= from && wideSpaceAt(text, end - width) === width) ?? 0
  );
}

/** The offset behind a line's content: all carriage returns and newlines at its end are taken off. */
export function trimLineEnd(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && (text[end - 1] === "\n" || text[end - 1] === "\r")) end -= 1;
  return end;
}
