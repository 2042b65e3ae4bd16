import type { EngineWorkspace } from "../model.ts";
import type { BuildKitClient } from "./client.ts";
import { BuilderLostError } from "./failures.ts";

/** The builders of a command, among which its stages are spread. */
export interface Builders {
  /** One on which the fewest are at work; undefined where all are gone. */
  readonly take: () => Builder | undefined;
}

export interface Builder {
  readonly client: BuildKitClient;
  readonly release: () => void;
  /** Nobody is sent there any more. */
  readonly giveUp: () => void;
}

interface State {
  readonly client: BuildKitClient;
  count: number;
  isLost: boolean;
}

export function createBuilders(clients: readonly BuildKitClient[]): Builders {
  const states: State[] = clients.map((client) => ({ client, count: 0, isLost: false }));
  return {
    take: () => {
      const [state] = states
        .filter(({ isLost }) => !isLost)
        .toSorted((one, other) => one.count - other.count);
      if (state === undefined) return undefined;
      state.count += 1;
      let isTaken = true;
      return {
        client: state.client,
        release: () => {
          if (isTaken) state.count -= 1;
          isTaken = false;
        },
        giveUp: () => (state.isLost = true),
      };
    },
  };
}

/** A builder that may be exchanged for another one. */
export interface Seat {
  current: Builder | undefined;
}

/**
 * Does something on the seat's builder; where that is gone, on another one, for as long as there are any: a call needs
 * nothing of those before it. Errors: `builder-lost`, those of `action`.
 */
export async function onBuilder<T>(
  { seat, builders }: { readonly seat: Seat; readonly builders: Builders },
  action: (client: BuildKitClient) => Promise<T>,
  { reporter, signal }: EngineWorkspace,
): Promise<T> {
  for (;;) {
    const builder = (seat.current ??= builders.take());
    if (builder === undefined) throw noneLeft();
    try {
      return await action(builder.client);
    } catch (error) {
      if (!(error instanceof BuilderLostError) || signal.aborted) throw error;
      builder.giveUp();
      builder.release();
      // Another call of the build may have noticed it, too: then it has told of it.
      const isFirst = seat.current === builder;
      if (isFirst) seat.current = builders.take();
      if (seat.current === undefined) throw error;
      if (!isFirst) continue;
      reporter.warn({
        code: "builder-lost",
        severity: "warning",
        message: `${error.message}; its work begins again on ${seat.current.client.name}`,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  }
}

function noneLeft(): BuilderLostError {
  return new BuilderLostError("builder-lost", "no builder is left", {
    hint: "see that buildkitd runs and can be reached (--builder, BUILDKIT_HOST), and build again",
  });
}
