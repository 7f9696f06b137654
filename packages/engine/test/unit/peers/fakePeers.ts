import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentErrorCode } from '../../../src/errors/libtorrentError.ts'
import { PeerList } from '../../../src/peers/peerList.ts'
import type { ListedConnection, PeerListHost } from '../../../src/peers/peerListHost.ts'
import type { TorrentPeer } from '../../../src/peers/torrentPeer.ts'
import type { Random } from '../../../src/platform/random.ts'

/** A connection that reports its end to the list at once, as a real one does. */
export class FakeConnection implements ListedConnection {
  hasFailed = false
  peerId = new Uint8Array(20)
  closedWith: LibtorrentErrorCode | null = null
  entry: TorrentPeer<FakeConnection> | null = null

  constructor(
    readonly scene: PeerScene,
    readonly remote: Endpoint,
    readonly local: Endpoint | null = { address: '192.0.2.99', port: 6881 },
    readonly isOutgoing = false,
  ) {}

  disconnect(code: LibtorrentErrorCode): void {
    this.closedWith = code
    this.close(false)
  }

  close(failed: boolean): void {
    if (this.entry !== null) this.scene.list.connectionClosed(this.entry, this, { failed }, this.scene.now)
  }
}

/** Chance that always says the same. */
export function fixedRandom(value = 0): Random {
  return { below: (limit) => value % limit, u32: () => value, bytes: (count) => new Uint8Array(count).fill(value) }
}

/** A peer list with a host whose answers a test can change. */
export class PeerScene implements PeerListHost<FakeConnection> {
  now = 1_000_000
  settings = {
    maxPeerlistSize: 3000,
    maxPausedPeerlistSize: 1000,
    minReconnectTime: 60,
    maxFailcount: 3,
    allowMultipleConnectionsPerIp: false,
    noConnectPrivilegedPorts: false,
  }
  random: Random = fixedRandom()
  readonly peerId = new Uint8Array(20).fill(1)
  isFinished = false
  isPaused = false
  external: Endpoint | null = null
  readonly erased: string[] = []
  readonly list = new PeerList<FakeConnection>(this)

  externalEndpoint(): Endpoint | null {
    return this.external
  }

  onPeerErased(peer: TorrentPeer<FakeConnection>): void {
    this.erased.push(peer.address)
  }

  /** Adds a peer that must be taken. */
  add(address: string, source = 1, flags = 0, port = 6881): TorrentPeer<FakeConnection> {
    const peer = this.list.addPeer({ address, port }, source, flags)
    if (peer === null) throw new Error(`${address} was not taken`)
    return peer
  }

  /** Someone connects to us. */
  incoming(address: string, port = 50_000): FakeConnection | LibtorrentErrorCode {
    const connection = new FakeConnection(this, { address, port })
    const peer = this.list.newConnection(connection, this.now)
    if (typeof peer === 'string') return peer
    connection.entry = peer
    return connection
  }

  /** We open a connection to `peer`. */
  connect(peer: TorrentPeer<FakeConnection>): FakeConnection {
    const local = { address: '192.0.2.99', port: 40_000 }
    const connection = new FakeConnection(this, peer.endpoint, local, true)
    connection.entry = peer
    this.list.setConnection(peer, connection)
    return connection
  }

  /** All that can be connected to now, in the order they come. */
  connectOrder(): string[] {
    const order: string[] = []
    for (let peer = this.list.connectOnePeer(this.now); peer !== null; peer = this.list.connectOnePeer(this.now)) {
      this.connect(peer)
      order.push(peer.address)
    }
    return order
  }
}
