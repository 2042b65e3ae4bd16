import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createGate } from "./gate.ts";

/** What three actions do, in its order: `a` comes to the gate, `A` goes on, `.a` ends. */
async function record(
  slots: number,
  actions: Readonly<Record<string, "pass" | "end" | "fail">>,
): Promise<string> {
  const events: string[] = [];
  const gate = createGate(Object.keys(actions).length, slots);
  let running = 0;
  let most = 0;
  const enter = (event: string): void => {
    events.push(event);
    running += 1;
    most = Math.max(most, running);
  };
  const results = Object.entries(actions).map(([name, what]) =>
    gate.run(async (pass) => {
      enter(name);
      await turn();
      if (what === "pass") {
        running -= 1;
        await pass();
        enter(name.toUpperCase());
        await turn();
        await pass();
      }
      running -= 1;
      events.push(`.${name}`);
      if (what === "fail") throw new Error(name);
    }),
  );
  await Promise.allSettled(results);
  expect(most).toBeLessThanOrEqual(slots);
  return events.join(" ");
}

test.each([
  ["one at a time: each comes to the gate before the first goes on", 1, "a b c A .a B .b C .c"],
  ["all at once", 3, "a b c A B C .a .b .c"],
])("%s", async (_, slots, expected) => {
  expect(await record(slots, { a: "pass", b: "pass", c: "pass" })).toBe(expected);
});

test.each(["end", "fail"] as const)(
  "nobody waits for one that comes to its %s before",
  async (how) => {
    expect(await record(1, { a: "pass", b: how, c: "pass" })).toBe("a b .b c A .a C .c");
  },
);
