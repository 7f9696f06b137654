import { isI2pName } from '../address/i2pAddress.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { isSslSocket } from '../platform/socketType.ts'
import { EncPolicy } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'

/** How the other side ends a connection that is not encrypted as it wants. */
const CLOSED_BY_PEER: ReadonlySet<string> = new Set(['EOF', 'ECONNRESET', 'EPIPE'])

/**
 * Which connections to peers are encrypted (setting `out_enc_policy`). Where it is left to us, each peer is tried as it is
 * thought to want it, which peer exchange may have told, and after a failure the other way (libtorrent).
 */
export class OutgoingEncryption {
  constructor(private readonly settings: Readonly<Pick<Settings, 'outEncPolicy'>>) {}

  /** Whether the connection that is opened to `entry` now is to be encrypted. */
  choose(entry: TorrentPeer): boolean {
    const { outEncPolicy } = this.settings
    // Everything in I2P is encrypted, from end to end.
    if (isI2pName(entry.address)) return false
    if (outEncPolicy !== EncPolicy.enabled) return outEncPolicy === EncPolicy.forced
    const isEncrypted = entry.supportsEncryption
    // Until this one has proved good, the next one is the other way.
    entry.supportsEncryption = !isEncrypted
    return isEncrypted
  }

  /** Both handshakes are done, or the connection has ended. */
  remember(peer: PeerConnection): void {
    if (!peer.isOutgoing || peer.isI2p || peer.entry === null || this.settings.outEncPolicy !== EncPolicy.enabled)
      return
    if (peer.encryption !== 'none') peer.entry.supportsEncryption = true
    else if (peer.wasReady) peer.entry.supportsEncryption = false
    // Nobody was there to like it or not.
    else if (!peer.wasConnected) peer.entry.supportsEncryption = peer.isEncryptedAttempt
  }

  /**
   * Whether a connection that failed is worth another attempt at once, the other way: it was encrypted, and nothing came of
   * it, or it was not, and the peer ended it without a word - as those do that take encrypted ones only. libtorrent has the
   * first rule alone, and tries the second kind of peer again after two minutes.
   */
  isWorthRetry(peer: PeerConnection, error: LibtorrentError): boolean {
    if (!peer.isOutgoing || !peer.wasConnected || peer.wasReady) return false
    // TLS, WebRTC and I2P encrypt by themselves.
    if (isSslSocket(peer.socketType) || peer.isRtc || peer.isI2p) return false
    if (this.settings.outEncPolicy !== EncPolicy.enabled || peer.encryption !== 'none') return false
    const { entry } = peer
    if (entry === null || entry.isSecondTry) return false
    // Who has no room for more peers ends them without a word, too: once in its life is enough.
    return peer.isEncryptedAttempt || (CLOSED_BY_PEER.has(error.code) && entry.fastReconnects === 0)
  }
}
