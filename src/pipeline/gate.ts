/** Lets actions run side by side, and has all of them wait for each other at one point on their way. */
export interface Gate {
  /** Runs an action, which calls `pass` where it waits for the others; one that ends without it has passed, too. */
  readonly run: <T>(action: (pass: () => Promise<void>) => Promise<T>) => Promise<T>;
}

/**
 * @param count how many actions there will be
 * @param slots how many of them go on at a time; who waits at the gate takes none
 */
export function createGate(count: number, slots: number): Gate {
  const turns = createTurns(slots);
  let missing = count;
  let arrive = (): void => undefined;
  const isOpen = new Promise<void>((open) => {
    arrive = (): void => {
      missing -= 1;
      if (missing === 0) open();
    };
  });
  return {
    run: async (action) => {
      let hasArrived = false;
      const arriveOnce = (): void => {
        if (!hasArrived) arrive();
        hasArrived = true;
      };
      await turns.take();
      try {
        return await action(async () => {
          // Whoever tries once more has waited.
          if (hasArrived) return;
          arriveOnce();
          turns.give();
          await isOpen;
          await turns.take();
        });
      } finally {
        arriveOnce();
        turns.give();
      }
    },
  };
}

interface Turns {
  readonly take: () => Promise<void>;
  readonly give: () => void;
}

/** First come, first served. */
function createTurns(slots: number): Turns {
  const waiting: (() => void)[] = [];
  let free = slots;
  return {
    take: async () => {
      free -= 1;
      if (free < 0) await new Promise<void>((resolve) => void waiting.push(resolve));
    },
    give: () => {
      free += 1;
      waiting.shift()?.();
    },
  };
}
