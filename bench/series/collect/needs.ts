import type { Stanza } from "./apt.ts";

/** The direct dependencies of each package of a system: of alternatives the first that is there, or what provides it. */
export function findNeeds(stanzas: readonly Stanza[]): (one: Stanza) => readonly string[] {
  const providers = new Map<string, string>();
  for (const stanza of stanzas) {
    for (const [word = ""] of listClauses(stanza.get("Provides"))) {
      if (!providers.has(word)) providers.set(word, stanza.get("Package") ?? "");
    }
  }
  for (const stanza of stanzas) {
    const name = stanza.get("Package") ?? "";
    providers.set(name, name);
  }
  return (stanza) => {
    const clauses = ["Pre-Depends", "Depends"].flatMap((field) => listClauses(stanza.get(field)));
    const found = new Set(
      clauses.flatMap((words) => words.flatMap((word) => providers.get(word) ?? []).slice(0, 1)),
    );
    found.delete(stanza.get("Package") ?? "");
    return [...found].toSorted();
  };
}

/** `a (>= 1) | b, c:any` as its names: `[[a, b], [c]]`. */
function listClauses(field = ""): readonly (readonly string[])[] {
  return field
    .split(",")
    .map((clause) =>
      clause.split("|").flatMap((word) => /^\s*([\w.+-]+)/.exec(word)?.slice(1) ?? []),
    )
    .filter((words) => words.length > 0);
}
