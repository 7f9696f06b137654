import type { DiskIo } from '../platform/disk.ts'
import type { SlotWaiter } from '../torrent/torrentHost.ts'

/** The connections, to peers and web seeds, that stopped reading because the disk is behind; all go on when it has caught up. */
export class StalledPeers {
  private peers = new Set<SlotWaiter>()
  private cancelWait: (() => void) | null = null

  constructor(private readonly disk: DiskIo) {}

  add(peer: SlotWaiter): void {
    this.peers.add(peer)
    this.cancelWait ??= this.disk.whenWritable(() => this.resumeAll())
  }

  remove(peer: SlotWaiter): void {
    this.peers.delete(peer)
  }

  stop(): void {
    this.cancelWait?.()
    this.peers.clear()
  }

  private resumeAll(): void {
    this.cancelWait = null
    const { peers } = this
    this.peers = new Set()
    // Whoever finds no slot again comes back by `add`, behind those that have not been served yet.
    for (const peer of peers) peer.resumeInput()
  }
}
