import { suggestName } from "../../suggest.ts";
import { type BakePlace, refuseAt } from "./document.ts";

/** Longer chains of groups, of what is inherited and of contexts are refused. */
const longestChain = 100;

/** Errors: `bake-file-invalid` for a circle, and for more than anybody needs. */
export function assertChain(
  chain: readonly string[],
  name: string,
  { what, place }: { readonly what: string; readonly place: BakePlace },
): void {
  if (chain.includes(name)) {
    const circle = [...chain.slice(chain.indexOf(name)), name].join(" -> ");
    throw refuseAt(place, `${what} form a circle: ${circle}`);
  }
  if (chain.length >= longestChain)
    throw refuseAt(place, `${what} form a chain of more than ${longestChain}`);
}

/** The error for a name of a file that nothing has. */
export function refuseUnknown(name: string, names: readonly string[], place: BakePlace): Error {
  const near = suggestName(name, names);
  const hint = near === undefined ? {} : { hint: `did you mean ${near}?` };
  return refuseAt(place, `there is no target ${name}`, hint);
}
