import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Settings } from '../settings/settings.ts'

/** How a connection to a peer is made. */
export type Transport = 'tcp' | 'utp'

type TransportSettings = Pick<Settings, 'enableOutgoingTcp' | 'enableOutgoingUtp'>
type TransportHints = Pick<TorrentPeer, 'isLocal' | 'failcount' | 'supportsUtp' | 'confirmedSupportsUtp'>

/**
 * By which transport `peer` is tried next; null when we may use none. uTP first, which yields to everything else on the
 * way, and TCP when that has failed (libtorrent). On our own network, where there is nothing to yield to and TCP costs
 * less, the other way round.
 */
export function chooseTransport(peer: TransportHints, settings: Readonly<TransportSettings>): Transport | null {
  const { enableOutgoingTcp, enableOutgoingUtp } = settings
  if (!enableOutgoingUtp) return enableOutgoingTcp ? 'tcp' : null
  if (!enableOutgoingTcp || peer.confirmedSupportsUtp) return 'utp'
  if (peer.isLocal) return peer.failcount % 2 === 0 ? 'tcp' : 'utp'
  return peer.supportsUtp ? 'utp' : 'tcp'
}
