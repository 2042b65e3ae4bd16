/** What all of them come to, once the last has ended, also where one fails: then its error is thrown, the first's of several. */
export async function settleAll<T extends readonly unknown[]>(actions: {
  readonly [Key in keyof T]: Promise<T[Key]>;
}): Promise<T> {
  for (const result of await Promise.allSettled(actions))
    if (result.status === "rejected") throw result.reason;
  return Promise.all(actions);
}
