import { isLocal, isLoopback, isMulticast } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { PexInbox } from '../extensions/pexInbox.ts'
import { PexOutbox, PexRecipient } from '../extensions/pexOutbox.ts'
import { PexQuota } from '../extensions/pexQuota.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { PeerSource, PexFlags } from '../peers/peerSource.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { PexPeer } from '../wire/utPexMessage.ts'
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

interface Partner {
  readonly recipient: PexRecipient
  readonly inbox: PexInbox
}

/** Peers tell each other whom they are connected to (BEP 11); not in private torrents (BEP 27) and those that keep to I2P. Peers in I2P neither hear of others nor are told of. */
export class PeerExchange {
  private partnersMade: Map<PeerConnection, Partner> | null = null
  private quotaMade: PexQuota | null = null
  private outbox: PexOutbox | null = null

  constructor(private readonly host: PeerExchangeHost) {}

  private get quota(): PexQuota {
    this.quotaMade ??= new PexQuota()
    return this.quotaMade
  }

  private get partners(): Map<PeerConnection, Partner> {
    this.partnersMade ??= new Map()
    return this.partnersMade
  }

  /** Whether this torrent takes part; said in the extension handshake. */
  get isAllowed(): boolean {
    return !this.host.info.priv && !this.host.keepsToI2p && !(this.host.params.disablePex ?? false)
  }

  onPeerExtensions(peer: PeerConnection): void {
    if (peer.isI2p || peer.extensions.remoteId('ut_pex') === 0) this.partners.delete(peer)
    else if (!this.partners.has(peer)) {
      this.partners.set(peer, { recipient: new PexRecipient(), inbox: new PexInbox() })
    }
  }

  onPeerGone(peer: PeerConnection): void {
    this.partners.delete(peer)
  }

  onMessage(peer: PeerConnection, payload: Uint8Array): void {
    const partner = this.partners.get(peer)
    if (partner === undefined || !this.isAllowed) return
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
    if (this.partners.size === 0 || !this.isAllowed) return
    this.outbox ??= new PexOutbox()
    this.outbox.tick(now, () => this.present())
    for (const [peer, { recipient }] of this.partners) {
      const self = { address: peer.remote.address, port: dialledPort(peer) }
      const message = this.outbox.take(recipient, now, self)
      if (message !== null) peer.sendExtended('ut_pex', message)
    }
  }

  /** Whom others can reach as we do: those we connected to, and those that said which port they listen on. */
  private present(): PexPeer[] {
    const peers: PexPeer[] = []
    for (const peer of this.host.swarm.connections) {
      if (!peer.isReady || peer.isRtc || peer.isI2p) continue
      const port = dialledPort(peer)
      if (port === 0) continue
      peers.push({ address: peer.remote.address, port, flags: flagsOf(peer) })
    }
    return peers
  }
}

/** 0 when unknown. What hole punching reached is a port that a router opened for us alone. */
function dialledPort({ isOutgoing, isHolepunched, remote, extensions }: PeerConnection): number {
  if (!isOutgoing) return extensions.listenPort
  return (isHolepunched && extensions.listenPort) || remote.port
}

function flagsOf(peer: PeerConnection): number {
  let flags = 0
  if (peer.isSeed || peer.extensions.isUploadOnly) flags |= PexFlags.seed
  if (peer.socketType === 'utp' || peer.entry?.confirmedSupportsUtp) flags |= PexFlags.utp
  if (peer.extensions.remoteId('ut_holepunch') !== 0) flags |= PexFlags.holepunch
  if (peer.encryption !== 'none') flags |= PexFlags.encryption
  return flags
}
