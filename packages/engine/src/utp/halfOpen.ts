import type { Endpoint } from '../address/endpoint.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'

/** Somebody who sent a SYN, and has yet to prove that it gets our answers. */
export interface HalfOpen {
  readonly receiveId: number
  /** Of its SYN. */
  readonly synSeq: number
  /** Of the first packet we shall send, as our answer says: who names it has seen the answer. */
  readonly firstSeq: number
}

interface Entry extends HalfOpen {
  readonly key: string
  readonly expires: Millis
  /** Its place in the list. */
  index: number
}

/** So many at most, whatever comes in. */
export const MOST_HALF_OPEN = 1024
const LIFETIME_MS: Millis = 20_000

/**
 * Connections of which only a SYN is known. The sender's address may be forged; until it answers it costs us this record
 * and nothing else. When there are too many, one goes by lot: during a flood those who answer at once still get through.
 */
export class HalfOpenTable {
  private readonly byKey = new Map<string, Entry>()
  private readonly list: Entry[] = []

  constructor(private readonly random: Random) {}

  get size(): number {
    return this.list.length
  }

  /** The record for a SYN: the one there is, when it is repeated. */
  add(from: Endpoint, receiveId: number, synSeq: number, now: Millis): HalfOpen {
    const key = keyOf(from, receiveId)
    const known = this.byKey.get(key)
    if (known !== undefined) {
      if (known.synSeq === synSeq && known.expires > now) return known
      this.drop(known)
    } else if (this.list.length >= MOST_HALF_OPEN) this.drop(this.list[this.random.below(this.list.length)])
    const firstSeq = this.random.below(0x10000)
    const entry = { key, receiveId, synSeq, firstSeq, expires: now + LIFETIME_MS, index: this.list.length }
    this.byKey.set(key, entry)
    this.list.push(entry)
    return entry
  }

  /** The record of a sender that names our first packet; it is taken out. */
  take(from: Endpoint, receiveId: number, firstSeq: number, now: Millis): HalfOpen | null {
    if (this.list.length === 0) return null
    const entry = this.byKey.get(keyOf(from, receiveId))
    if (entry === undefined || entry.firstSeq !== firstSeq) return null
    this.drop(entry)
    return entry.expires > now ? entry : null
  }

  /** Whether there is a record of that sender. */
  has(from: Endpoint, receiveId: number): boolean {
    return this.list.length > 0 && this.byKey.has(keyOf(from, receiveId))
  }

  clear(): void {
    this.byKey.clear()
    this.list.length = 0
  }

  private drop(entry: Entry): void {
    this.byKey.delete(entry.key)
    const last = this.list.pop() as Entry
    if (last === entry) return
    this.list[entry.index] = last
    last.index = entry.index
  }
}

function keyOf(from: Endpoint, receiveId: number): string {
  return `${from.address} ${from.port} ${receiveId}`
}
