import type { TorrentPeer } from './torrentPeer.ts'

/**
 * The entries of a peer list: in an array, to walk through and pick from, and by address. Adding, finding and removing
 * one costs the same whatever their number. Removing moves the last entry to the place that becomes free.
 */
export class PeerStore<C> {
  private readonly peers: TorrentPeer<C>[] = []
  /** First entry of each address; others with the same address hang on `nextSameAddress`. Those of WebRTC are apart. */
  private readonly byAddress = new Map<string, TorrentPeer<C>>()

  get size(): number {
    return this.peers.length
  }

  at(index: number): TorrentPeer<C> {
    return this.peers[index]
  }

  [Symbol.iterator](): Iterator<TorrentPeer<C>> {
    return this.peers[Symbol.iterator]()
  }

  /** An entry of `address`, whatever its port. */
  findAddress(address: string): TorrentPeer<C> | null {
    return this.byAddress.get(address) ?? null
  }

  /** The same, of those that came by WebRTC. */
  findRtcAddress(address: string): TorrentPeer<C> | null {
    return this.byAddress.get(rtcKey(address)) ?? null
  }

  find(address: string, port: number): TorrentPeer<C> | null {
    let peer = this.findAddress(address)
    while (peer !== null && peer.port !== port) peer = peer.nextSameAddress
    return peer
  }

  insert(peer: TorrentPeer<C>): void {
    peer.listIndex = this.peers.length
    this.peers.push(peer)
    const key = keyOf(peer)
    peer.nextSameAddress = this.byAddress.get(key) ?? null
    this.byAddress.set(key, peer)
  }

  /** `peer` must be in here. */
  remove(peer: TorrentPeer<C>): void {
    this.unlinkAddress(peer)
    const last = this.peers.pop() as TorrentPeer<C>
    if (last !== peer) {
      this.peers[peer.listIndex] = last
      last.listIndex = peer.listIndex
    }
    peer.listIndex = -1
  }

  private unlinkAddress(peer: TorrentPeer<C>): void {
    const next = peer.nextSameAddress
    peer.nextSameAddress = null
    const key = keyOf(peer)
    let before = this.byAddress.get(key) as TorrentPeer<C>
    if (before === peer) {
      if (next === null) this.byAddress.delete(key)
      else this.byAddress.set(key, next)
      return
    }
    while (before.nextSameAddress !== peer) before = before.nextSameAddress as TorrentPeer<C>
    before.nextSameAddress = next
  }
}

function keyOf(peer: TorrentPeer): string {
  return peer.isRtc ? rtcKey(peer.address) : peer.address
}

function rtcKey(address: string): string {
  return `rtc ${address}`
}
