import type { Clock } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'
import { TokenBucket } from './tokenBucket.ts'

/** Packets read from one address, and from all: what a network full of busy clients sends is below it. */
const BURST_OF_ONE = 60
const INTERVAL_OF_ONE: Millis = 200
const BURST_OF_ALL = 300
const INTERVAL_OF_ALL: Millis = 20
/** Addresses remembered; beyond, the one that came first is forgotten. */
const MAX_SOURCES = 256

/** Decides which packets are read at all, so that a neighbour who floods us costs little. */
export class LsdGate {
  private readonly all: TokenBucket
  private readonly sources = new Map<string, TokenBucket>()

  constructor(private readonly clock: Clock) {
    this.all = new TokenBucket(clock, BURST_OF_ALL, INTERVAL_OF_ALL)
  }

  admits(address: string): boolean {
    let source = this.sources.get(address)
    if (source === undefined) {
      if (this.sources.size >= MAX_SOURCES) {
        const [first] = this.sources.keys()
        this.sources.delete(first)
      }
      source = new TokenBucket(this.clock, BURST_OF_ONE, INTERVAL_OF_ONE)
      this.sources.set(address, source)
    }
    // One that floods takes nothing from the others.
    return source.take() && this.all.take()
  }
}
