import { PeerSource, sourceRank } from './peerSource.ts'
import type { TorrentPeer } from './torrentPeer.ts'

/**
 * Negative when `a` is the better one to connect to, as libtorrent orders candidates: fewer failures, local,
 * longest not tried (to the second), when we are finished those not said to be seeds, better source,
 * and last the priority of BEP 40, which `priorityOf` computes at need.
 */
export function compareConnectCandidates<P extends TorrentPeer>(
  a: P,
  b: P,
  isFinished: boolean,
  priorityOf: (peer: P) => number,
): number {
  if (a.failcount !== b.failcount) return a.failcount - b.failcount
  if (a.isLocal !== b.isLocal) return a.isLocal ? -1 : 1
  const aSecond = Math.floor(a.lastConnected / 1000)
  const bSecond = Math.floor(b.lastConnected / 1000)
  if (aSecond !== bSecond) return aSecond - bSecond
  if (isFinished && a.maybeUploadOnly !== b.maybeUploadOnly) return a.maybeUploadOnly ? 1 : -1
  const rank = sourceRank(b.source) - sourceRank(a.source)
  return rank !== 0 ? rank : priorityOf(b) - priorityOf(a)
}

/**
 * True when `a` is the better one to forget: more failures, known from resume data only, not connectable, less trusted.
 */
export function isBetterToErase(a: TorrentPeer, b: TorrentPeer): boolean {
  if (a.failcount !== b.failcount) return a.failcount > b.failcount
  const aResumeOnly = a.source === PeerSource.resumeData
  const bResumeOnly = b.source === PeerSource.resumeData
  if (aResumeOnly !== bResumeOnly) return aResumeOnly
  if (a.connectable !== b.connectable) return !a.connectable
  return a.trustPoints < b.trustPoints
}
