import { isLocal, isMulticast, isUnspecified } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import {
  decodeUtHolepunch,
  encodeUtHolepunch,
  HolepunchError,
  type HolepunchMessage,
  HolepunchType,
} from '../wire/utHolepunchMessage.ts'
import { IntroductionBudget } from './introductionBudget.ts'
import type { PeerExchange } from './peerExchange.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentSsl } from './torrentSsl.ts'

export interface HolepunchHost {
  readonly session: Pick<TorrentHost, 'canBeIntroduced'>
  readonly settings: Readonly<Settings>
  readonly info: TorrentInfo
  readonly ssl: TorrentSsl
  readonly swarm: Swarm
  readonly exchange: PeerExchange
  now(): Millis
}

/** An introduction that was not made by then is none that we asked for. */
const ANSWER_TIME_MS: Millis = 30_000
/** Introductions waited for at once. */
const MAX_ASKED = 50

/** An introduction we asked for. */
interface Asked {
  readonly relay: PeerConnection
  readonly entry: TorrentPeer<PeerConnection>
  readonly at: Millis
}

/**
 * Meeting peers that cannot be connected to (BEP 55): somebody connected to both sides tells them to connect to each
 * other at the same moment by uTP, so that each one's packets open its own router for the other's.
 */
export class Holepunch {
  private readonly budget: IntroductionBudget
  /** By address: of the port a router opens only the relay knows. Oldest first. */
  private readonly asked = new Map<string, Asked>()

  constructor(private readonly host: HolepunchHost) {
    this.budget = new IntroductionBudget(host)
  }

  /**
   * Whether we take part: peers are spoken to without a proxy, by uTP or TCP but not TLS, and may be learned of from each
   * other (BEP 27). Said in the extension handshake.
   */
  get isAllowed(): boolean {
    const { session, info, ssl } = this.host
    return session.canBeIntroduced && !info.priv && !ssl.isSslTorrent
  }

  /** `peer` could not be reached, neither by uTP nor by TCP: whoever named it to us may introduce us to each other. */
  onUnreachable({ entry, remote }: PeerConnection): void {
    if (entry === null || !entry.supportsHolepunch || !this.isAllowed || !this.host.settings.enableOutgoingUtp) return
    const relay = this.host.exchange.introducerOf(remote)
    if (relay === null) return
    this.asked.delete(remote.address)
    if (this.asked.size >= MAX_ASKED) this.asked.delete(this.asked.keys().next().value as string)
    this.asked.set(remote.address, { relay, entry, at: this.host.now() })
    send(relay, HolepunchType.rendezvous, remote)
  }

  onMessage(peer: PeerConnection, payload: Uint8Array): void {
    // Whoever does not speak it is not answered, whatever it says.
    if (!this.isAllowed || !speaksHolepunch(peer) || !this.budget.take(peer.remote.address)) return
    const message = decodeUtHolepunch(payload)
    if (message === null) return
    if (message.type === HolepunchType.rendezvous) this.introduce(peer, message)
    else if (message.type === HolepunchType.connect) this.meet(peer, message)
    // The third kind only says that nothing comes of it.
  }

  /** We are the relay. */
  private introduce(peer: PeerConnection, { endpoint }: HolepunchMessage): void {
    if (!isSomebody(endpoint)) return send(peer, HolepunchType.failed, endpoint, HolepunchError.noSuchPeer)
    const target = this.connectionTo(endpoint)
    if (target === null) send(peer, HolepunchType.failed, endpoint, HolepunchError.notConnected)
    else if (target === peer) send(peer, HolepunchType.failed, endpoint, HolepunchError.noSelf)
    else if (!speaksHolepunch(target)) send(peer, HolepunchType.failed, endpoint, HolepunchError.noSupport)
    // A stranger is not led into our own network, nor the other way round; and many strangers are not led to one peer.
    else if (isLocal(endpoint.address) === isLocal(peer.remote.address) && this.budget.takeFor(target.remote.address)) {
      send(peer, HolepunchType.connect, reachableAt(target))
      send(target, HolepunchType.connect, reachableAt(peer))
    }
  }

  /** We are one of the two. */
  private meet(relay: PeerConnection, { endpoint }: HolepunchMessage): void {
    if (isLocal(endpoint.address) && !isLocal(relay.remote.address)) return
    const asked = this.asked.get(endpoint.address)
    // One attempt for each time we asked; whoever sends us somewhere unasked does not make us insist.
    const isAnswer = asked?.relay === relay && this.host.now() - asked.at <= ANSWER_TIME_MS
    if (isAnswer) this.asked.delete(endpoint.address)
    this.host.swarm.punch(endpoint, isAnswer ? asked.entry : null)
  }

  /** Peer exchange names where a peer listens, and that may not be where its uTP packets come from. */
  private connectionTo(endpoint: Endpoint): PeerConnection | null {
    for (const peer of this.host.swarm.connections) {
      if (!peer.isReady || peer.remote.address !== endpoint.address) continue
      if (reachableAt(peer).port === endpoint.port || peer.extensions.listenPort === endpoint.port) return peer
    }
    return null
  }
}

/** An endpoint at which there can be a peer. */
function isSomebody({ address, port }: Endpoint): boolean {
  return port !== 0 && !isUnspecified(address) && !isMulticast(address)
}

/** What the packets of peers go through that came by WebRTC, or by I2P, is of no use to uTP. */
function speaksHolepunch(peer: PeerConnection): boolean {
  return !peer.isRtc && !peer.isI2p && peer.extensions.remoteId('ut_holepunch') !== 0
}

/** Where its uTP packets go to and come from: of a TCP connection that it opened only the port it said is of use. */
function reachableAt({ remote, isOutgoing, socketType, extensions }: PeerConnection): Endpoint {
  const isOwnPort = isOutgoing || socketType === 'utp' || extensions.listenPort === 0
  return isOwnPort ? remote : { address: remote.address, port: extensions.listenPort }
}

function send(to: PeerConnection, type: HolepunchType, endpoint: Endpoint, error: number = HolepunchError.none): void {
  to.sendExtended('ut_holepunch', encodeUtHolepunch({ type, endpoint, error }))
}
