import { readU32 } from '../util/bytes.ts'
import { compareDistance } from './nodeDistance.ts'
import type { NodeEntry } from './nodeEntry.ts'

/**
 * Collects the `limit` nodes closest to a target out of groups, each of which is closer than the ones after it. Keeps
 * its arrays, so that an answer costs no garbage.
 */
export class ClosestNodes {
  /** The nodes found, closest first. */
  readonly nodes: NodeEntry[] = []
  private readonly words: number[] = []
  private target: Uint8Array = new Uint8Array(20)
  private targetWord = 0
  private limit = 0
  private groupStart = 0

  start(target: Uint8Array, limit: number): void {
    this.target = target
    this.targetWord = readU32(target, 0)
    this.limit = limit
    this.groupStart = 0
    this.nodes.length = 0
    this.words.length = 0
  }

  get isFull(): boolean {
    return this.nodes.length >= this.limit
  }

  /** What is added from here on is farther than what was added before. */
  nextGroup(): void {
    this.groupStart = this.nodes.length
  }

  /** Adds the confirmed nodes of a list; with `all`, also those that did not answer lately. */
  addAll(list: readonly NodeEntry[], all: boolean): void {
    const { nodes, words, target, targetWord, limit, groupStart } = this
    for (let i = 0; i < list.length; i++) {
      const node = list[i]
      if (!all && node.timeouts !== 0) continue
      const word = (node.word ^ targetWord) >>> 0
      let at = nodes.length
      if (at >= limit) {
        const last = limit - 1
        if (last < groupStart || word > words[last]) continue
        if (word === words[last] && compareDistance(node.id, nodes[last].id, target) >= 0) continue
        at = last
      }
      while (at > groupStart) {
        const before = words[at - 1]
        if (before < word || (before === word && compareDistance(nodes[at - 1].id, node.id, target) <= 0)) break
        nodes[at] = nodes[at - 1]
        words[at] = before
        at--
      }
      nodes[at] = node
      words[at] = word
    }
  }
}
