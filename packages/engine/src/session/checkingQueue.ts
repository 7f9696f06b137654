import type { Torrent } from '../torrent/torrent.ts'

/** Torrents take turns at checking their files: reading several at once would only make the disk seek. */
export class CheckingQueue {
  private readonly waiting = new Set<Torrent>()
  private readonly running = new Set<Torrent>()

  constructor(private readonly limit: () => number) {}

  add(torrent: Torrent): void {
    if (this.running.has(torrent)) return
    this.waiting.add(torrent)
    this.next()
  }

  remove(torrent: Torrent): void {
    this.waiting.delete(torrent)
    if (this.running.delete(torrent)) this.next()
  }

  private next(): void {
    for (const torrent of this.waiting) {
      if (this.running.size >= this.limit()) return
      this.waiting.delete(torrent)
      this.running.add(torrent)
      torrent.beginChecking()
    }
  }
}
