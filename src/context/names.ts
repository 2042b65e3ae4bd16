/**
 * A file name as text: UTF-8, and each byte that is none as a lone surrogate (U+DC80 to U+DCFF), as
 * Python's surrogateescape has it. `encodePath` gives the bytes back.
 */
export function decodeName(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (!text.includes("\uFFFD") || Buffer.from(text).equals(bytes)) return text;
  let decoded = "";
  for (let at = 0; at < bytes.length;) {
    const length = measureCharacter(bytes, at);
    decoded +=
      length === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
        : bytes.toString("utf8", at, at + length);
    at += Math.max(length, 1);
  }
  return decoded;
}

/** What a system call takes for such a path. */
export function encodePath(path: string): string | Buffer {
  // Also halves of whole characters, which the slow way gives back as they are.
  if (!/[\uDC80-\uDCFF]/.test(path)) return path;
  return Buffer.concat(
    Array.from(path, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code >= 0xdc80 && code <= 0xdcff
        ? Buffer.from([code - 0xdc00])
        : Buffer.from(character);
    }),
  );
}

/** The length in bytes of the character that begins here, or 0 where none does. */
function measureCharacter(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    const slice = bytes.subarray(at, at + length);
    const text = slice.toString("utf8");
    if (Buffer.from(text).equals(slice)) return length;
  }
  return 0;
}

const loneSurrogate = /[\uD800-\uDFFF]/u;

/** Whether it has something that UTF-8 cannot say. */
export function hasLoneSurrogate(text: string): boolean {
  return loneSurrogate.test(text);
}

/** As UTF-8 where that can say it, else as UTF-16 behind a byte that no UTF-8 begins with. */
export function packText(text: string): Buffer {
  if (!hasLoneSurrogate(text)) return Buffer.from(text);
  return Buffer.concat([Buffer.of(0xff), Buffer.from(text, "utf16le")]);
}

/** What `packText` made. */
export function unpackText(bytes: Buffer): string {
  return bytes[0] === 0xff ? bytes.toString("utf16le", 1) : bytes.toString("utf8");
}

/** The root itself is "". */
export function joinPath(root: string, path: string): string {
  return path === "" ? root : `${root}/${path}`;
}
