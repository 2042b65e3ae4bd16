import type { PackingOptions } from "../model.ts";

type OnProgress = PackingOptions["onProgress"];

/** Packing tells how many bytes more it has done: whoever listens is told how many there are by now. */
export function sumBytes(onProgress: OnProgress): OnProgress {
  if (onProgress === undefined) return undefined;
  let sum = 0;
  return ({ bytes, ...rest }) => {
    sum += bytes ?? 0;
    onProgress(bytes === undefined ? rest : { ...rest, bytes: sum });
  };
}

/** Tells of each layer that is begun, and the how many-th it is. */
export function countBegun(
  total: number,
  { onProgress }: Pick<PackingOptions, "onProgress">,
): (name: string) => void {
  let count = 0;
  return (name) => {
    count += 1;
    onProgress?.({ now: `${name} (${count} of ${total})` });
  };
}
