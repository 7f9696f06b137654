import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Timers } from '../platform/clock.ts'

/**
 * The connections that have something to send. All that one turn of the event loop caused leaves together at its
 * end: many messages in one system call, and blocks of one batch from the disk in one vectored write.
 */
export class FlushQueue {
  private peers: PeerConnection[] = []
  private spare: PeerConnection[] = []
  private scheduled = false
  private readonly run = () => this.flushAll()

  constructor(private readonly timers: Timers) {}

  add(peer: PeerConnection): void {
    this.peers.push(peer)
    if (this.scheduled) return
    this.scheduled = true
    this.timers.after(0, this.run)
  }

  private flushAll(): void {
    this.scheduled = false
    const { peers } = this
    this.peers = this.spare
    for (let i = 0; i < peers.length; i++) {
      try {
        peers[i].flush()
      } catch (cause) {
        peers[i].fault(cause)
      }
    }
    peers.length = 0
    this.spare = peers
  }
}
