import type { Seconds } from '../util/flavored.ts'
import type { PeerListSettings } from './peerListHost.ts'
import { PeerSource } from './peerSource.ts'
import type { TorrentPeer } from './torrentPeer.ts'

/** What a peer counts as: one to connect to, one to forget when room is needed, or neither. */
export type Standing = 'candidate' | 'erasable' | 'none'

/** Ports below this one belong to the services of a machine, not to what its users start. */
const FIRST_UNPRIVILEGED_PORT = 1024

/** What decides the standing of peers, beside what is known of each. */
export interface StandingRules {
  /** Every wanted piece is there: seeds are of no use any more. */
  readonly isFinished: boolean
  readonly maxFailcount: number
  readonly minReconnectTime: Seconds
  readonly noConnectPrivilegedPorts: boolean
}

interface RulesSource {
  readonly isFinished: boolean
  readonly settings: PeerListSettings
}

export function standingRules({ isFinished, settings }: RulesSource): StandingRules {
  const { maxFailcount, minReconnectTime, noConnectPrivilegedPorts } = settings
  return { isFinished, maxFailcount, minReconnectTime, noConnectPrivilegedPorts }
}

/** Whether `standingRules` would say the same. */
export function areRulesCurrent(rules: StandingRules, { isFinished, settings }: RulesSource): boolean {
  return (
    rules.isFinished === isFinished &&
    rules.maxFailcount === settings.maxFailcount &&
    rules.minReconnectTime === settings.minReconnectTime &&
    rules.noConnectPrivilegedPorts === settings.noConnectPrivilegedPorts
  )
}

/** Whether it makes sense to ever connect to `peer`, its reconnect time aside. */
export function isConnectCandidate(peer: TorrentPeer, rules: StandingRules): boolean {
  return (
    peer.connection === null &&
    !peer.banned &&
    !peer.isOurselves &&
    peer.connectable &&
    peer.listIndex !== -1 &&
    !(rules.isFinished && (peer.seed || peer.uploadOnly)) &&
    peer.failcount < rules.maxFailcount &&
    !(rules.noConnectPrivilegedPorts && isPrivilegedPort(peer.port))
  )
}

export function isPrivilegedPort(port: number): boolean {
  return port < FIRST_UNPRIVILEGED_PORT
}

/**
 * Of no use any more: to be forgotten when room is needed. It failed, only resume data knew of it, or it once connected
 * to us and nobody knows where it listens. The last are what a flood of connections leaves behind; what is held against
 * a peer is kept all the same.
 */
export function isEraseCandidate(peer: TorrentPeer, rules: StandingRules): boolean {
  if (peer.listIndex === -1 || peer.connection !== null || isConnectCandidate(peer, rules)) return false
  if (peer.failcount > 0 || peer.source === PeerSource.resumeData) return true
  return !peer.connectable && !peer.banned && peer.hashfails === 0
}

export function standingOf(peer: TorrentPeer, rules: StandingRules): Standing {
  if (isConnectCandidate(peer, rules)) return 'candidate'
  return isEraseCandidate(peer, rules) ? 'erasable' : 'none'
}
