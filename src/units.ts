const sizeUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes as the engines print them: powers of a thousand, three digits. */
export function renderSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${sizeUnits[unit]}`;
}

/** In bytes. */
export function sumSizes(items: readonly { readonly size: number }[]): number {
  return items.reduce((sum, { size }) => sum + size, 0);
}

/** How many layers, and their bytes in all. */
export function describeLayers(layers: readonly { readonly size: number }[]): string {
  const count = layers.length === 1 ? "1 layer" : `${layers.length} layers`;
  return `${count}, ${renderSize(sumSizes(layers))}`;
}
