import { ChokingAlgorithm } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import { optimisticSlots } from './optimisticUnchoke.ts'
import type { UnchokeCandidate, UnchokeTorrent } from './unchokeCandidate.ts'
import { unchokeOrder } from './unchokeOrder.ts'

/** The settings that decide a round. */
export type UnchokeRules = Readonly<
  Pick<
    Settings,
    | 'chokingAlgorithm'
    | 'seedChokingAlgorithm'
    | 'unchokeSlotsLimit'
    | 'seedingPieceQuota'
    | 'rateChokerInitialThreshold'
    | 'numOptimisticUnchokeSlots'
  >
>

export interface UnchokeRound<P> {
  /** All upload slots, the optimistic ones included; Infinity for no limit. */
  readonly slots: number
  /**
   * Whom to unchoke or leave unchoked, at most `slots` less the optimistic ones. All other candidates are to be choked,
   * except those optimistically unchoked. One of these that is in here has earned its slot, and is optimistic no more.
   */
  readonly unchoked: ReadonlySet<P>
}

/** By how much the rate-based threshold rises with each slot, in bytes a second (libtorrent). */
const RATE_THRESHOLD_STEP = 2048

/**
 * One unchoke round, every `unchoke_interval`: who of the peers interested in us gets the regular slots.
 * `interval` is the time since the last round, `now` the time of this one. `candidates` is not changed.
 */
export function chooseUnchoked<P extends UnchokeCandidate>(
  candidates: readonly P[],
  rules: UnchokeRules,
  interval: Millis,
  now: Millis,
): UnchokeRound<P> {
  const slots = uploadSlots(candidates, rules, interval)
  if (slots === Number.POSITIVE_INFINITY) return { slots, unchoked: withinTorrentLimits(candidates, slots, 0) }
  const order = unchokeOrder(rules.seedChokingAlgorithm, rules.seedingPieceQuota, now)
  const inUse = candidates.reduce((count, peer) => count + (peer.isOptimisticallyUnchoked ? 1 : 0), 0)
  const optimistic = inUse > 0 ? inUse : optimisticSlots(slots, rules.numOptimisticUnchokeSlots)
  return { slots, unchoked: withinTorrentLimits([...candidates].sort(order), slots, optimistic) }
}

/** Slots for this round: the setting, or what the rates of the last round justify. */
function uploadSlots(candidates: readonly UnchokeCandidate[], rules: UnchokeRules, interval: Millis): number {
  if (rules.chokingAlgorithm === ChokingAlgorithm.rateBasedChoker) {
    return rateBasedSlots(candidates, rules.rateChokerInitialThreshold, interval)
  }
  return rules.unchokeSlotsLimit < 0 ? Number.POSITIVE_INFINITY : rules.unchokeSlotsLimit
}

/** Peers in order of our rate to them, for as long as each reaches the threshold of its slot; and one more to try. */
function rateBasedSlots(candidates: readonly UnchokeCandidate[], initialThreshold: number, interval: Millis): number {
  const byRate = [...candidates].sort(
    (a, b) => b.uploadedInLastRound * b.uploadPriority - a.uploadedInLastRound * a.uploadPriority,
  )
  let threshold = initialThreshold
  let slots = 1
  for (const peer of byRate) {
    if ((peer.uploadedInLastRound * 1000) / interval < threshold) break
    slots++
    threshold += RATE_THRESHOLD_STEP
  }
  return slots
}

/** The first of `ranked`, `slots - optimistic` of them, skipping peers of torrents that have no upload left. */
function withinTorrentLimits<P extends UnchokeCandidate>(
  ranked: readonly P[],
  slots: number,
  optimistic: number,
): Set<P> {
  const used = new Map<UnchokeTorrent, number>()
  const unchoked = new Set<P>()
  for (const peer of ranked) {
    if (unchoked.size >= slots - optimistic) break
    const { torrent } = peer
    const uploads = used.get(torrent) ?? 0
    if (torrent.maxUploads >= 0 && uploads >= torrent.maxUploads) continue
    used.set(torrent, uploads + 1)
    unchoked.add(peer)
  }
  return unchoked
}
