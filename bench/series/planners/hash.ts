const [offset, prime, mask] = [0xcbf29ce484222325n, 0x100000001b3n, 0xffffffffffffffffn];
const known = new Map<string, bigint>();

/** FNV-1a of 64 bits over the name's bytes and a byte 255 behind them, as Rust hashes a text. */
export function hashName(name: string): bigint {
  const found = known.get(name);
  if (found !== undefined) return found;
  let hash = offset;
  for (const byte of [...Buffer.from(name), 0xff]) hash = ((hash ^ BigInt(byte)) * prime) & mask;
  known.set(name, hash);
  return hash;
}
