import { isLoopback, isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import { UtpCounters } from '../utp/utpCounters.ts'
import { UtpSockets } from '../utp/utpSockets.ts'
import { type UtpStatus, utpStatus } from '../utp/utpStatus.ts'
import type { PacketReceiver, SharedUdpSocket } from './sharedUdpSocket.ts'

export interface UtpServiceHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly settings: Readonly<Settings>
  /** Peers may be spoken to by uTP. */
  readonly carriesUtp: boolean
  /** A peer connected; `ssl`: to a socket for SSL torrents, and nothing was said yet. */
  onIncoming(stream: Stream, ssl: boolean): void
  onFault(cause: unknown): void
}

/** A uTP connection to be opened. */
export interface UtpRoute {
  readonly remote: Endpoint
  /** The socket must be there, or anywhere if it is left out. */
  readonly localAddress: string | undefined
  /** TLS is going to be put on it. */
  readonly ssl: boolean
}

/** uTP on one shared socket. */
class UtpReceiver implements PacketReceiver {
  readonly sockets: UtpSockets

  constructor(
    private readonly host: UtpServiceHost,
    socket: SharedUdpSocket,
  ) {
    this.sockets = new UtpSockets({
      clock: host.clock,
      timers: host.timers,
      random: host.random,
      settings: host.settings,
      local: socket.local,
      send: (packet, to) => socket.send(packet, to),
      onUtpAccept: (stream) => host.onIncoming(stream, socket.ssl),
      onFault: (cause) => host.onFault(cause),
    })
  }

  receive(packet: Uint8Array, from: Endpoint): boolean {
    return this.host.carriesUtp && this.sockets.incoming(packet, from)
  }
}

/** The session's part in uTP: speaks it on every UDP socket beside a listen socket, and picks the one to connect from. */
export class UtpService {
  private readonly receivers = new Map<SharedUdpSocket, UtpReceiver>()
  /** What sockets counted that are closed. */
  private readonly past = new UtpCounters()

  constructor(private readonly host: UtpServiceHost) {}

  onUdpOpened(socket: SharedUdpSocket): void {
    const receiver = new UtpReceiver(this.host, socket)
    this.receivers.set(socket, receiver)
    socket.addReceiver(receiver)
  }

  onUdpClosed(socket: SharedUdpSocket): void {
    const receiver = this.receivers.get(socket)
    if (receiver === undefined) return
    this.receivers.delete(socket)
    socket.removeReceiver(receiver)
    receiver.sockets.close()
    this.past.add(receiver.sockets.counters)
  }

  /** What the proxy settings leave no way for does not go on by another. */
  onSettingsChanged(): void {
    if (this.host.carriesUtp) return
    for (const [socket, { sockets }] of [...this.receivers]) {
      if (sockets.size === 0) continue
      this.onUdpClosed(socket)
      this.onUdpOpened(socket)
    }
  }

  status(): UtpStatus {
    return utpStatus(
      [...this.receivers.values()].map(({ sockets }) => sockets),
      this.past,
    )
  }

  /**
   * Begins to connect; null when there is no socket from which `remote` could be reached. SSL torrents use the sockets they
   * are reached at, where a router lets their peers in, and others only when there are none.
   */
  connect({ remote, localAddress, ssl }: UtpRoute, handler: StreamHandler): Stream | null {
    const receiver = this.choose(remote, localAddress, ssl) ?? (ssl ? this.choose(remote, localAddress, false) : null)
    return receiver?.sockets.connect(remote, handler) ?? null
  }

  private choose(remote: Endpoint, localAddress: string | undefined, wantsSsl: boolean): UtpReceiver | null {
    let best: UtpReceiver | null = null
    for (const [{ local, ssl }, receiver] of this.receivers) {
      if (ssl !== wantsSsl || isV6(local.address) !== isV6(remote.address)) continue
      if (localAddress !== undefined && !isUnspecified(localAddress) && local.address !== localAddress) continue
      // What is bound to loopback reaches this machine only, and is the better way there.
      const isFitting = isLoopback(local.address) === isLoopback(remote.address)
      if (isFitting || (isUnspecified(local.address) && best === null)) best = receiver
      if (isFitting) break
    }
    return best
  }
}
