/**
 * How often a test does something: as often as its subject asks for in `npm run test:long`, a tenth of it elsewhere,
 * so that `npm test` has its time.
 */
export function chooseCount(long: number): number {
  return process.env["XBUILD_TEST_LONG"] === undefined ? Math.ceil(long / 10) : long;
}

/** What makes chance repeatable: fixed in `npm test`, printed and another one each time in `npm run test:long`. */
export const testSeed = Number(process.env["XBUILD_TEST_SEED"] ?? 1);

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
export function createChance(seed: number = testSeed): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
