import { isLocal } from '../address/classify.ts'
import { type Endpoint, sameEndpoint } from '../address/endpoint.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Millis } from '../util/flavored.ts'
import {
  decodeUtHolepunch,
  encodeUtHolepunch,
  HolepunchError,
  type HolepunchMessage,
  HolepunchType,
} from '../wire/utHolepunchMessage.ts'
import type { PeerExchange } from './peerExchange.ts'
import type { Swarm } from './swarm.ts'

export interface HolepunchHost {
  readonly swarm: Swarm
  readonly exchange: PeerExchange
  now(): Millis
}

/** What one peer may make us do in a minute: to be introduced, or to connect to somebody. */
const MESSAGES_PER_MINUTE = 20
const MINUTE_MS: Millis = 60_000

/**
 * Meeting peers that cannot be connected to (BEP 55): somebody connected to both sides tells them to connect to each
 * other at the same moment by uTP, so that each one's packets open its own router for the other's.
 */
export class Holepunch {
  private readonly minutes = new WeakMap<PeerConnection, { began: Millis; messages: number }>()

  constructor(private readonly host: HolepunchHost) {}

  /** `peer` could not be reached: whoever named it to us may introduce us to each other. */
  onUnreachable(peer: PeerConnection): void {
    const { entry, remote } = peer
    if (entry === null || !entry.supportsHolepunch) return
    const relay = this.host.exchange.introducerOf(remote)
    if (relay !== null) send(relay, HolepunchType.rendezvous, remote)
  }

  onMessage(peer: PeerConnection, payload: Uint8Array): void {
    // Whoever does not speak it is not answered, whatever it says.
    if (!speaksHolepunch(peer) || this.isFlood(peer)) return
    const message = decodeUtHolepunch(payload)
    if (message === null) return
    if (message.type === HolepunchType.rendezvous) this.introduce(peer, message)
    else if (message.type === HolepunchType.connect) this.meet(peer, message)
    // The third kind only says that nothing comes of it.
  }

  /** We are the relay. */
  private introduce(peer: PeerConnection, { endpoint }: HolepunchMessage): void {
    const target = this.connectionTo(endpoint)
    if (target === null) send(peer, HolepunchType.failed, endpoint, HolepunchError.notConnected)
    else if (target === peer) send(peer, HolepunchType.failed, endpoint, HolepunchError.noSelf)
    else if (!speaksHolepunch(target)) send(peer, HolepunchType.failed, endpoint, HolepunchError.noSupport)
    // A stranger is not led into our own network, nor the other way round.
    else if (isLocal(endpoint.address) === isLocal(peer.remote.address)) {
      send(peer, HolepunchType.connect, endpoint)
      send(target, HolepunchType.connect, reachableAt(peer))
    }
  }

  /** We are one of the two. */
  private meet(relay: PeerConnection, { endpoint }: HolepunchMessage): void {
    if (isLocal(endpoint.address) && !isLocal(relay.remote.address)) return
    this.host.swarm.punch(endpoint)
  }

  private connectionTo(endpoint: Endpoint): PeerConnection | null {
    for (const peer of this.host.swarm.connections) {
      if (peer.isReady && sameEndpoint(reachableAt(peer), endpoint)) return peer
    }
    return null
  }

  private isFlood(peer: PeerConnection): boolean {
    const now = this.host.now()
    const minute = this.minutes.get(peer)
    if (minute === undefined || now - minute.began >= MINUTE_MS) {
      this.minutes.set(peer, { began: now, messages: 1 })
      return false
    }
    minute.messages++
    return minute.messages > MESSAGES_PER_MINUTE
  }
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
