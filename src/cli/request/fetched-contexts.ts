import type { LocateOptions } from "./locate.ts";

type Fetched = NonNullable<LocateOptions["fetched"]>;

/** What this command has fetched, by the words that name it: several builds may share a context. */
const contexts = new Map<string, Promise<Fetched>>();

/** For a command that goes on in another process; only its own user sees its environment. */
const variable = "_XBUILD_FETCHED";
const settled = new Map<string, Fetched>();

/** Fetches it once. It is forgotten when `forget` is called, which is told to the one who fetches. */
export function shareContext(
  name: string,
  fetchIt: (forget: () => void) => Promise<Fetched>,
): Promise<Fetched> {
  const known = contexts.get(name);
  if (known !== undefined) return known;
  const fetching = fetchIt(() => {
    contexts.delete(name);
    settled.delete(name);
  });
  contexts.set(name, fetching);
  fetching.then(
    (one) => settled.set(name, one),
    () => contexts.delete(name),
  );
  return fetching;
}

/** Variables with which the same command in another process finds what is here already; none where nothing is. */
export function handOverContexts(): Readonly<Record<string, string>> {
  return settled.size === 0 ? {} : { [variable]: JSON.stringify([...settled]) };
}

/** What the process that goes on in this one has fetched. */
export function takeContext(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Fetched | undefined {
  const text = env[variable];
  if (text === undefined) return undefined;
  const entries: readonly (readonly [string, Fetched])[] = JSON.parse(text);
  return new Map(entries).get(name);
}
