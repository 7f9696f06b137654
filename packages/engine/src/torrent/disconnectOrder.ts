import type { Millis } from '../util/flavored.ts'

/** What tells how useful a connection is; a `PeerConnection` is one. */
export interface DisconnectCandidate {
  /** It has something we want. */
  readonly isInteresting: boolean
  readonly isSeed: boolean
  readonly isPeerChoking: boolean
  readonly createdAt: Millis
  readonly lastReceived: Millis
  readonly entry: { readonly onParole: boolean } | null
  readonly stats: { readonly totalPayloadDownload: number }
}

/**
 * Negative when `a` is the better one to disconnect, as libtorrent orders them: those that have nothing we want, that
 * are no seeds, on parole, that sent the least per second, that choke us, and that have been silent longest.
 */
export function compareForDisconnect(a: DisconnectCandidate, b: DisconnectCandidate, now: Millis): number {
  if (a.isInteresting !== b.isInteresting) return a.isInteresting ? 1 : -1
  if (a.isSeed !== b.isSeed) return a.isSeed ? 1 : -1
  const aParole = a.entry?.onParole ?? false
  const bParole = b.entry?.onParole ?? false
  if (aParole !== bParole) return aParole ? -1 : 1
  const rates = rateOf(a, now) - rateOf(b, now)
  if (rates !== 0) return rates
  if (a.isPeerChoking !== b.isPeerChoking) return a.isPeerChoking ? -1 : 1
  return a.lastReceived - b.lastReceived
}

/** Payload per second since it was connected, whole bytes; the second that is running counts as one. */
function rateOf({ stats, createdAt }: DisconnectCandidate, now: Millis): number {
  return Math.floor(stats.totalPayloadDownload / (Math.floor((now - createdAt) / 1000) + 1))
}
