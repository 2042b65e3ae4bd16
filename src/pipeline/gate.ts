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
  const { isOpen, arrive } = createBarrier(count);
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

interface Barrier {
  /** Settled when all have come. */
  readonly isOpen: Promise<void>;
  readonly arrive: () => void;
}

function createBarrier(count: number): Barrier {
  const openers: (() => void)[] = [];
  const isOpen = new Promise<void>((resolve) => void openers.push(resolve));
  let missing = count;
  const arrive = (): void => {
    missing -= 1;
    if (missing === 0) for (const open of openers) open();
  };
  return { isOpen, arrive };
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
