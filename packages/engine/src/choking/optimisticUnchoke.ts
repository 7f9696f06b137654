import type { UnchokeCandidate, UnchokeTorrent } from './unchokeCandidate.ts'

/** How many of `slots` are optimistic: the setting `num_optimistic_unchoke_slots`, or for 0 a fifth, at least one. */
export function optimisticSlots(slots: number, setting: number): number {
  return setting > 0 ? setting : Math.max(1, Math.floor(slots / 5))
}

/**
 * Every `optimistic_unchoke_interval`: whom to unchoke whatever they give, so that newcomers can show what they have.
 * Those who waited longest since they last were. `candidates` are peers interested in us; those in a regular slot are
 * left out here. Previously optimistic peers that are not in the result are to be choked.
 *
 * `slots` is what the last round of `chooseUnchoked` found; with no limit everybody is unchoked and nobody optimistic.
 */
export function chooseOptimisticUnchokes<P extends UnchokeCandidate>(
  candidates: readonly P[],
  slots: number,
  numOptimisticUnchokeSlots: number,
): P[] {
  if (slots <= 0 || slots === Number.POSITIVE_INFINITY) return []
  const regular = new Map<UnchokeTorrent, number>()
  const eligible: P[] = []
  for (const peer of candidates) {
    if (peer.isChoked || peer.isOptimisticallyUnchoked) eligible.push(peer)
    else regular.set(peer.torrent, (regular.get(peer.torrent) ?? 0) + 1)
  }
  eligible.sort((a, b) => a.lastOptimisticallyUnchoked - b.lastOptimisticallyUnchoked)
  const wanted = optimisticSlots(slots, numOptimisticUnchokeSlots)
  const chosen: P[] = []
  for (const peer of eligible) {
    if (chosen.length >= wanted) break
    const { torrent } = peer
    const uploads = regular.get(torrent) ?? 0
    if (torrent.maxUploads >= 0 && uploads >= torrent.maxUploads) continue
    regular.set(torrent, uploads + 1)
    chosen.push(peer)
  }
  return chosen
}
