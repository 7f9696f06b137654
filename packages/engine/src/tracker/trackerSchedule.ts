import type { Endpoint } from '../address/endpoint.ts'
import type { Millis } from '../util/flavored.ts'
import type { AnnounceEntry } from './announceEntry.ts'
import type { TrackerSettings } from './trackerSettings.ts'

export interface AnnouncePlan {
  /** Trackers to announce to now, in order. */
  readonly due: readonly AnnounceEntry[]
  /** When to plan again if nothing happens before; null: never. Later than now. */
  readonly wakeAt: Millis | null
}

/** A tracker that was not announced to yet. */
const UNTRIED = { fails: 0, nextAnnounce: 0, minAnnounce: 0, updating: false, triggeredManually: false } as const

/**
 * Decides whom the listen socket at `local` announces to; each decides for itself, so that trackers of one family do not
 * keep the other from announcing. `entries` are in order of tiers. Of these count (BEP 12)
 * - by default all up to the first that works;
 * - with `announceToAllTrackers` all of each tier up to the first tier in which one works;
 * - with `announceToAllTiers` those of each tier up to the first that works;
 * - with both, all;
 * and besides those that somebody asked for. Of these, each whose time has come is due.
 *
 * WebSocket trackers are chosen apart from the others, by the same rules: a browser is found by no other tracker, whatever
 * works. They count with `webSockets` only.
 */
export function planAnnounces(
  entries: readonly AnnounceEntry[],
  local: Endpoint,
  now: Millis,
  settings: Pick<TrackerSettings, 'announceToAllTrackers' | 'announceToAllTiers'>,
  webSockets = true,
): AnnouncePlan {
  const due: AnnounceEntry[] = []
  let wakeAt: Millis | null = null
  /** The tier of the last tracker that works; of the last WebSocket tracker. */
  let plainTier = -1
  let webTier = -1
  for (const entry of entries) {
    if (entry.isWebSocket && !webSockets) continue
    const workingTier = entry.isWebSocket ? webTier : plainTier
    const state = entry.findEndpoint(local) ?? UNTRIED
    const exhausted = entry.retired || (entry.failLimit !== 0 && state.fails >= entry.failLimit)
    const works = state.fails === 0 && !exhausted
    const covered = isCovered(entry.tier, workingTier, settings)
    if (works && !covered && entry.isWebSocket) webTier = entry.tier
    else if (works && !covered) plainTier = entry.tier
    if (state.updating) continue
    if (!state.triggeredManually && (covered || exhausted)) continue
    const when = Math.max(state.nextAnnounce, state.minAnnounce)
    if (when <= now) due.push(entry)
    else if (wakeAt === null || when < wakeAt) wakeAt = when
  }
  return { due, wakeAt }
}

/** Whether a working tracker of `workingTier` (-1: there is none) makes one of `tier`, which comes later, superfluous. */
function isCovered(
  tier: number,
  workingTier: number,
  settings: Pick<TrackerSettings, 'announceToAllTrackers' | 'announceToAllTiers'>,
): boolean {
  if (workingTier === -1) return false
  return tier === workingTier ? !settings.announceToAllTrackers : !settings.announceToAllTiers
}
