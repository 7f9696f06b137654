/** In so much time a peer is to be brought to the ratio. */
const BALANCE_S = 15
/** What it may be ahead of the ratio: enough to begin with, so that two who both wait for the other do begin. */
const CREDIT_BYTES = 96 * 1024
/** Nobody gets less, bytes a second: a connection that stands still for ever is of no use. */
const MIN_LIMIT = 20

/**
 * How fast to upload to a peer so that it comes to have `ratio` bytes for each byte it gave (manual, set_ratio), bytes a
 * second. `downloaded`, `uploaded`: payload so far; `rate`: at which it gives now.
 */
export function ratioLimit(ratio: number, downloaded: number, uploaded: number, rate: number): number {
  const soon = downloaded + rate * BALANCE_S
  return Math.max(MIN_LIMIT, Math.floor((soon * ratio - uploaded + CREDIT_BYTES) / BALANCE_S))
}
