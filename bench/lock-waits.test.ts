import { expect, test } from "vitest";
import { findWaits } from "./lock-waits.ts";

// As strace 6.1 writes it with the flags of traceLocks.
const trace = `4711  flock(3</run/user/0/xbuild/names.lock>, LOCK_EX) = 0 <0.000012>
4712  flock(3</run/user/0/xbuild/names.lock>, LOCK_EX <unfinished ...>
4713  flock(3</store/lock>, LOCK_EX <unfinished ...>
4712  <... flock resumed>)              = 0 <0.250000>
4713  <... flock resumed>)              = 0 <0.003000>
4715  flock(8</cache/blob-info-cache-v1.boltdb>, LOCK_EX|LOCK_NB) = 0 <0.049000>
4714  +++ exited with 0 +++
`;

test("each wait belongs to its lock, also where two are waited for at once; others' locks do not count", () => {
  expect([...findWaits(trace)]).toEqual([
    ["names.lock", [0.000012, 0.25]],
    ["lock", [0.003]],
  ]);
});
