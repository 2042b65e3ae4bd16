type Defined<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

/** An object without the members that are undefined. */
export function withoutMissing<T extends object>(value: T): Defined<T> {
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is missing is left out
  return Object.fromEntries(members) as Defined<T>;
}
