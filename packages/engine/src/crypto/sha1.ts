import { createHash, type Hash } from 'node:crypto'
import { Sha1Hash, Sha256Hash } from '../util/digest.ts'

/** SHA-1 of `bytes`. */
export function sha1(bytes: Uint8Array): Sha1Hash {
  return new Sha1Hash(createHash('sha1').update(bytes).digest())
}

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Sha256Hash {
  return new Sha256Hash(createHash('sha256').update(bytes).digest())
}

/** Incremental SHA-1: libtorrent's `hasher`. */
export class Hasher {
  private hash: Hash = createHash('sha1')

  update(bytes: Uint8Array): this {
    this.hash.update(bytes)
    return this
  }

  /** The hash of everything given so far. Only `reset` may follow. */
  final(): Sha1Hash {
    return new Sha1Hash(this.hash.digest())
  }

  reset(): void {
    this.hash = createHash('sha1')
  }
}
