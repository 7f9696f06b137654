import { SipHash } from '../crypto/sipHash.ts'
import type { Random } from '../platform/random.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'

/** Bytes of a token. libtorrent's are 4; 8 cannot be guessed within the life of a key. */
export const TOKEN_SIZE = 8

/**
 * Write tokens (BEP 5): who wants to announce or put shows the token we gave to its address for that target, and thereby
 * that the address is its own. A token is a keyed hash of both; the key changes every five minutes and the one before is
 * still accepted, so that a token lives five to ten minutes and nothing is stored.
 */
export class WriteTokens {
  private current: SipHash
  private previous: SipHash
  private readonly message = new Uint8Array(16 + NODE_ID_SIZE)

  constructor(private readonly random: Random) {
    this.current = new SipHash(random.bytes(16))
    this.previous = this.current
  }

  /** To be called every five minutes. */
  rotate(): void {
    this.previous = this.current
    this.current = new SipHash(this.random.bytes(16))
  }

  /** Writes the token for the address of a compact contact and a target into `out`. */
  write(compact: Uint8Array, target: Uint8Array, out: Uint8Array): void {
    const hash = this.current
    hash.hash(this.message, this.compose(compact, target))
    put(out, hash)
  }

  /** Whether `token` was given to that address for that target. */
  verify(token: Uint8Array, compact: Uint8Array, target: Uint8Array): boolean {
    if (token.length !== TOKEN_SIZE) return false
    const length = this.compose(compact, target)
    this.current.hash(this.message, length)
    if (matches(token, this.current)) return true
    this.previous.hash(this.message, length)
    return matches(token, this.previous)
  }

  private compose(compact: Uint8Array, target: Uint8Array): number {
    const { message } = this
    // The port may change between the question and the announce.
    const addressSize = compact.length - 2
    for (let i = 0; i < addressSize; i++) message[i] = compact[i]
    for (let i = 0; i < NODE_ID_SIZE; i++) message[addressSize + i] = target[i]
    return addressSize + NODE_ID_SIZE
  }
}

function put(out: Uint8Array, { low, high }: SipHash): void {
  for (let i = 0; i < 4; i++) {
    out[i] = low >>> (i * 8)
    out[4 + i] = high >>> (i * 8)
  }
}

function matches(token: Uint8Array, { low, high }: SipHash): boolean {
  let difference = 0
  for (let i = 0; i < 4; i++) {
    difference |= token[i] ^ ((low >>> (i * 8)) & 0xff)
    difference |= token[4 + i] ^ ((high >>> (i * 8)) & 0xff)
  }
  return difference === 0
}
