/**
 * Divides `limit` among those who have `counts`, as evenly as possible: nobody keeps more than it has, and nobody has to
 * give while another keeps more. Returns what each keeps.
 */
export function fairShares(counts: readonly number[], limit: number): number[] {
  const shares = new Array<number>(counts.length)
  const bySize = counts.map((_, index) => index).sort((a, b) => counts[a] - counts[b])
  let left = Math.max(0, limit)
  for (const [position, index] of bySize.entries()) {
    shares[index] = Math.min(counts[index], Math.floor(left / (counts.length - position)))
    left -= shares[index]
  }
  return shares
}
