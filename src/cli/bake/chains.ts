import { suggestName } from "../../suggest.ts";
import { type BakePlace, refuseAt } from "./document.ts";

/** Longer chains of groups, of what is inherited, of contexts and of variables are refused. */
const longestChain = 100;

/** Errors: `bake-file-invalid` for a circle, and for more than anybody needs. */
export function assertChain(
  chain: readonly string[],
  name: string,
  { what, place }: { readonly what: string; readonly place: BakePlace },
): void {
  const inCircle = `${what} form a circle`;
  const inChain = `${what} form a chain of more than ${longestChain}`;
  assertEnds(chain, name, { inCircle, inChain, place });
}

/** What is said of variables, which no chain of targets leads to. Errors: as `assertChain` */
export function assertReferences(chain: readonly string[], name: string, place: BakePlace): void {
  const inCircle = "variables refer to each other in a circle";
  const inChain = `more than ${longestChain} variables refer to each other in a chain`;
  assertEnds(chain, name, { inCircle, inChain, place });
}

interface ChainWords {
  readonly inCircle: string;
  readonly inChain: string;
  readonly place: BakePlace;
}

function assertEnds(
  chain: readonly string[],
  name: string,
  { inCircle, inChain, place }: ChainWords,
): void {
  if (chain.includes(name)) {
    const circle = [...chain.slice(chain.indexOf(name)), name].join(" -> ");
    throw refuseAt(place, `${inCircle}: ${circle}`);
  }
  if (chain.length >= longestChain) throw refuseAt(place, inChain);
}

/** The error for a name of a file that nothing has. */
export function refuseUnknown(name: string, names: readonly string[], place: BakePlace): Error {
  const near = suggestName(name, names);
  const hint = near === undefined ? {} : { hint: `did you mean ${near}?` };
  return refuseAt(place, `there is no target ${name}`, hint);
}
