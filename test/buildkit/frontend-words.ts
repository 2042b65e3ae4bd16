/** The flags of the command in the words of clients of BuildKit; those that they have not are left out. */
export function translateWords(words: readonly string[]): readonly string[] {
  return words.flatMap((word, at): readonly string[] => {
    if (words[at - 1] === "--cache-from") return [`--cache-from=type=registry,ref=${word}`];
    if (word === "--cache-from" || word.startsWith("--input=")) return [];
    if (word === "--allow-devices") return ["--build-arg=XBUILD_ALLOW_DEVICES=1"];
    return [word.replace(/^--annotation=/, "--annotation=manifest:")];
  });
}
