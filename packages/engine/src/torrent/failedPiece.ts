import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { BlockIndex } from '../util/flavored.ts'

/** Versions of one block that are remembered: the piece may fail again, with blocks of others. */
const MAX_VERSIONS = 4

interface Version {
  readonly sender: TorrentPeer
  readonly digest: string
}

/**
 * What is known of a piece that has failed its hash check: who sent which block, and what was in it. Once the piece
 * has passed, each block whose good version is another one tells who lied, and who was suspected for nothing.
 */
export class FailedPiece {
  /** Versions of blocks that are kept. */
  numVersions = 0
  /** Good blocks that were asked for and have not come. */
  awaited = 0
  private readonly versions = new Map<BlockIndex, Version[]>()
  /** Who sent the blocks of the latest failure, by block; null where nobody did. */
  private senders: readonly (TorrentPeer | null)[] = []
  /** How often the piece failed with each peer having a part in it. */
  private readonly suspects = new Map<TorrentPeer, number>()
  private readonly liars = new Set<TorrentPeer>()
  /** Something was sent that we could not keep: nobody is known to have told nothing but the truth. */
  private hasGaps = false

  /** The piece has failed (again). Returns the blocks whose hashes are worth having. */
  failed(senders: readonly (TorrentPeer | null)[]): BlockIndex[] {
    this.senders = senders
    for (const peer of new Set(senders)) {
      if (peer !== null) this.suspects.set(peer, (this.suspects.get(peer) ?? 0) + 1)
    }
    return [...senders.keys()].filter((block) => senders[block] !== null)
  }

  /**
   * The hash of a block of the latest failure; null when it could not be read. Returns its sender if that is a liar
   * for certain: it has sent the block before, and something else.
   */
  addSent(block: BlockIndex, digest: string | null): TorrentPeer | null {
    const sender = this.senders[block]
    // it may have been forgotten meanwhile
    if (sender === null || sender === undefined) return null
    const known = this.versions.get(block)
    if (known?.some((version) => version.sender === sender && version.digest === digest)) return null
    if (digest === null || (known !== undefined && known.length >= MAX_VERSIONS)) {
      this.hasGaps = true
      return null
    }
    const lied = known?.some((version) => version.sender === sender) === true
    if (known === undefined) this.versions.set(block, [{ sender, digest }])
    else known.push({ sender, digest })
    this.numVersions++
    if (lied) this.liars.add(sender)
    return lied ? sender : null
  }

  /** The piece has passed. Returns the blocks whose hashes tell something; as many `compare` calls are to follow. */
  passed(): BlockIndex[] {
    const blocks = [...this.versions.keys()]
    this.awaited = blocks.length
    return blocks
  }

  /** The hash of a good block; null when it could not be read. Returns those who sent another one. */
  compare(block: BlockIndex, good: string | null): TorrentPeer[] {
    this.awaited--
    const versions = this.versions.get(block) ?? []
    if (good === null) {
      this.hasGaps = true
      return []
    }
    const liars = versions.filter(({ digest }) => digest !== good).map(({ sender }) => sender)
    for (const liar of liars) this.liars.add(liar)
    return liars
  }

  /** How often the piece failed with the peer having a part in it. */
  failuresOf(peer: TorrentPeer): number {
    return this.suspects.get(peer) ?? 0
  }

  /** When all is compared: those who sent no wrong block, and how often they were suspected. */
  innocents(): readonly (readonly [TorrentPeer, number])[] {
    if (this.hasGaps) return []
    return [...this.suspects].filter(([peer]) => !this.liars.has(peer))
  }

  /** Forgets a peer. */
  clearPeer(peer: TorrentPeer): void {
    if (!this.suspects.delete(peer)) return
    this.senders = this.senders.map((sender) => (sender === peer ? null : sender))
    for (const [block, versions] of this.versions) {
      const others = versions.filter(({ sender }) => sender !== peer)
      this.numVersions -= versions.length - others.length
      this.versions.set(block, others)
    }
  }
}
