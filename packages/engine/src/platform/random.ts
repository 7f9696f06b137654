/** The only source of chance. The real one is cryptographically strong; the simulator's is seeded. */
export interface Random {
  /** A uniform integer in [0, `limit`); `limit` is 1 to 2^32. */
  below(limit: number): number
  /** A uniform unsigned 32-bit integer. */
  u32(): number
  /** `count` fresh random bytes. */
  bytes(count: number): Uint8Array
}

/** Shuffles `items` in place (Fisher-Yates). */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swap = items[i]
    items[i] = items[j]
    items[j] = swap
  }
  return items
}
