import { isLocal, isLoopback, isMulticast } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { PexInbox } from '../extensions/pexInbox.ts'
import { PexOutbox, PexRecipient } from '../extensions/pexOutbox.ts'
import { PexQuota } from '../extensions/pexQuota.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { PeerSource, PexFlags } from '../peers/peerSource.ts'
import { isUtpSocket } from '../platform/socketType.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import { i2pPexCodec } from '../wire/i2pPexMessage.ts'
import { type PexCodec, type PexPeer, utPexCodec } from '../wire/utPexMessage.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { Swarm } from './swarm.ts'

export interface PeerExchangeHost {
  readonly settings: Readonly<Settings>
  readonly params: Readonly<AddTorrentParams>
  readonly info: TorrentInfo
  readonly swarm: Swarm
  readonly keepsToI2p: boolean
  now(): Millis
}

/** The extension by which peers are told of each other: of those in I2P only those who are there, and the others of the others. */
type PexName = 'ut_pex' | 'i2p_pex'
const NAMES: readonly PexName[] = ['ut_pex', 'i2p_pex']
const CODECS = { ut_pex: utPexCodec, i2p_pex: i2pPexCodec } as const satisfies Record<PexName, PexCodec>

interface Partner {
  readonly name: PexName
  readonly recipient: PexRecipient
  readonly inbox: PexInbox
}

/**
 * Peers tell each other whom they are connected to (BEP 11); not in private torrents (BEP 27). Peers in I2P hear of each
 * other and of nobody else (`i2p_pex`), and nobody else hears of them.
 */
export class PeerExchange {
  private partnersMade: Map<PeerConnection, Partner> | null = null
  private quotaMade: PexQuota | null = null
  private readonly outboxes: Partial<Record<PexName, PexOutbox>> = {}

  constructor(private readonly host: PeerExchangeHost) {}

  private get quota(): PexQuota {
    this.quotaMade ??= new PexQuota()
    return this.quotaMade
  }

  private get partners(): Map<PeerConnection, Partner> {
    this.partnersMade ??= new Map()
    return this.partnersMade
  }

  /** The extensions of this kind that a peer is not offered. */
  withheldFrom(peer: PeerConnection): readonly string[] {
    const offered = nameFor(peer)
    return NAMES.filter((name) => name !== offered || !this.isAllowed(name))
  }

  private isAllowed(name: PexName): boolean {
    const { info, params, keepsToI2p } = this.host
    return !info.priv && !(params.disablePex ?? false) && !(keepsToI2p && name === 'ut_pex')
  }

  onPeerExtensions(peer: PeerConnection): void {
    const name = nameFor(peer)
    if (peer.extensions.remoteId(name) === 0) this.partners.delete(peer)
    else if (!this.partners.has(peer)) {
      this.partners.set(peer, { name, recipient: new PexRecipient(), inbox: new PexInbox(CODECS[name]) })
    }
  }

  onPeerGone(peer: PeerConnection): void {
    this.partners.delete(peer)
  }

  onMessage(peer: PeerConnection, name: PexName, payload: Uint8Array): void {
    const partner = this.partners.get(peer)
    if (partner?.name !== name || !this.isAllowed(name)) return
    const { host } = this
    const isPeerLocal = isLocal(peer.remote.address)
    const news = partner.inbox.receive(payload, host.now(), isPeerLocal, host.settings.maxPexPeers)
    if (typeof news === 'string') return peer.fail(news)
    for (const { address, port, flags } of news) {
      if (isMulticast(address) || (isLoopback(address) && !isLoopback(peer.remote.address))) continue
      if (!this.quota.take(peer.remote.address, host.now())) return
      host.swarm.addPeer({ address, port }, PeerSource.pex, flags)
    }
  }

  /** Somebody connected to us and to `endpoint`, who speaks `ut_holepunch`; null when there is none. */
  introducerOf(endpoint: Endpoint): PeerConnection | null {
    for (const [peer, { inbox }] of this.partnersMade ?? []) {
      if (peer.extensions.remoteId('ut_holepunch') !== 0 && inbox.hasNamed(endpoint)) return peer
    }
    return null
  }

  /** Once a second. */
  tick(now: Millis): void {
    if (this.partners.size === 0) return
    for (const [peer, { name, recipient }] of this.partners) {
      if (!this.isAllowed(name)) continue
      this.outboxes[name] ??= new PexOutbox(CODECS[name])
      const outbox = this.outboxes[name]
      outbox.tick(now, () => this.present(name))
      const self = { address: peer.remote.address, port: dialledPort(peer) }
      const message = outbox.take(recipient, now, self)
      if (message !== null) peer.sendExtended(name, message)
    }
  }

  /** Whom others can reach as we do: those we connected to, and those that said which port they listen on. */
  private present(name: PexName): PexPeer[] {
    const peers: PexPeer[] = []
    for (const peer of this.host.swarm.connections) {
      if (!peer.isReady || peer.isRtc || nameFor(peer) !== name) continue
      const port = dialledPort(peer)
      if (port === 0) continue
      peers.push({ address: peer.remote.address, port, flags: flagsOf(peer) })
    }
    return peers
  }
}

function nameFor(peer: PeerConnection): PexName {
  return peer.isI2p ? 'i2p_pex' : 'ut_pex'
}

/**
 * 0 when unknown. What hole punching reached is a port that a router opened for us alone. Whoever comes from a destination
 * in I2P is reached there.
 */
function dialledPort({ isOutgoing, isHolepunched, isI2p, remote, extensions }: PeerConnection): number {
  if (isI2p) return remote.port
  if (!isOutgoing) return extensions.listenPort
  return (isHolepunched && extensions.listenPort) || remote.port
}

function flagsOf(peer: PeerConnection): number {
  let flags = 0
  if (peer.isSeed || peer.extensions.isUploadOnly) flags |= PexFlags.seed
  if (isUtpSocket(peer.socketType) || peer.entry?.confirmedSupportsUtp) flags |= PexFlags.utp
  if (peer.extensions.remoteId('ut_holepunch') !== 0) flags |= PexFlags.holepunch
  if (peer.encryption !== 'none') flags |= PexFlags.encryption
  return flags
}
