import { HalfSipHash } from '../crypto/halfSipHash.ts'
import type { Random } from '../platform/random.ts'
import { readU32, writeU32 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'

/** A client may use an id for a minute, and one that is two minutes old should still do (BEP 15). */
const WINDOW_MS: Millis = 60_000
/** The window an id was made in, modulo this, is in its lowest bits. */
const WINDOWS = 4
/** Older windows whose ids are taken: an id lives for two to three minutes. */
const TAKEN_BEFORE = 2

/**
 * Connection ids of UDP trackers (BEP 15) without a memory of them: a keyed hash of the address, with a key for each
 * minute. Who sends one back has received it, and so is where its packets say it is.
 */
export class ConnectionIds {
  private readonly hashes: HalfSipHash[] = []
  /** Number of the newest window. */
  private window = -1

  constructor(private readonly random: Random) {}

  /** Writes the id for an address (the first `length` bytes of `address`) to 8 bytes of `out`. */
  write(address: Uint8Array, length: number, now: Millis, out: Uint8Array, at: number): void {
    this.advance(now)
    this.fill(this.window, address, length, out, at)
  }

  /** Whether the 8 bytes at `at` of `packet` are an id of this address, and not too old. */
  isValid(packet: Uint8Array, at: number, address: Uint8Array, length: number, now: Millis): boolean {
    this.advance(now)
    const age = (this.window - (packet[at + 7] & (WINDOWS - 1)) + WINDOWS * WINDOWS) % WINDOWS
    if (age > TAKEN_BEFORE || age > this.window) return false
    this.fill(this.window - age, address, length, this.expected, 0)
    const first = readU32(packet, at) ^ readU32(this.expected, 0)
    const second = readU32(packet, at + 4) ^ readU32(this.expected, 4)
    return (first | second) === 0
  }

  private readonly expected = new Uint8Array(8)

  private fill(window: number, address: Uint8Array, length: number, out: Uint8Array, at: number): void {
    const index = window % WINDOWS
    const hash = this.hashes[index]
    hash.hash(address, 0, length)
    writeU32(out, at, hash.first)
    writeU32(out, at + 4, hash.second)
    out[at + 7] = (out[at + 7] & ~(WINDOWS - 1)) | index
  }

  /** Every window has a key of its own, which nothing outlives. */
  private advance(now: Millis): void {
    const window = Math.floor(now / WINDOW_MS)
    if (window === this.window) return
    const first = Math.max(this.window + 1, window - WINDOWS + 1, 0)
    for (let w = first; w <= window; w++) {
      this.hashes[w % WINDOWS] = new HalfSipHash(this.random.u32(), this.random.u32())
    }
    this.window = window
  }
}
