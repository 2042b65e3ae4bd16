const slash = 0x2f;

/**
 * The order in which a tree is walked: a directory before what is in it, and names by their characters' codes. As if a
 * slash came before every other character.
 */
export function compareWalk(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    if (left === slash) return -1;
    return right === slash ? 1 : left - right;
  }
  return a.length - b.length;
}
