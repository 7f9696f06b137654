/**
 * Sequence numbers of uTP packets: 16 bits that wrap. Which of two is the earlier is only defined while they are less
 * than 32,768 apart; windows are kept far below that.
 */
export function nextSeq(seq: number): number {
  return (seq + 1) & 0xffff
}

/** How many steps lead from `from` to `to`, the shorter way round: -32,768 to 32,767. */
export function seqDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

/** True when `a` comes before `b`. */
export function seqLess(a: number, b: number): boolean {
  return seqDistance(a, b) > 0
}
