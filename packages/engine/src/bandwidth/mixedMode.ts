import type { Direction } from './direction.ts'

/** With fewer peers than this transferring there is nothing to be shared fairly (libtorrent). */
const MIN_PEERS = 5
/** How far TCP may go beyond its part: rates follow each other, and it must be able to grow (libtorrent). */
const HEADROOM = 4
/** TCP is never held below this, bytes a second (libtorrent). */
const FLOOR: Readonly<Record<Direction, number>> = { upload: 5000, download: 30_000 }

/**
 * The limit that all TCP peers together get in one direction with `mixed_mode_algorithm` `peer_proportional`, bytes a
 * second; 0 for none. uTP yields to TCP, so that beside a few TCP connections uTP would get nothing: each kind is to have
 * its part by its number of peers. `rate`: of the session, bytes a second.
 */
export function tcpLimit(direction: Direction, tcpPeers: number, utpPeers: number, rate: number): number {
  const peers = tcpPeers + utpPeers
  if (utpPeers === 0 || peers < MIN_PEERS) return 0
  return Math.max(FLOOR[direction], Math.floor((rate * Math.max(1, tcpPeers) * HEADROOM) / peers))
}
