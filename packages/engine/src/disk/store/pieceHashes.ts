import { createHash, type Hash } from 'node:crypto'

/** Running hashes at once: the pieces of some hundred peers. About 1 KiB each. */
const MAX_RUNNING = 1024
/** Keys keep the piece index below this. */
const MAX_PIECES = 2 ** 31

interface RunningHash {
  readonly key: number
  readonly storage: number
  readonly hash: Hash
  /** Bytes of the piece hashed so far. */
  position: number
}

/**
 * SHA-1 of pieces in the making. Blocks that arrive in order are hashed while they are in the caches; from the first
 * gap on the rest is read back when the piece is complete. Beyond the limit the oldest hash is given up.
 */
export class PieceHashes {
  private readonly running = new Map<number, RunningHash>()
  private last: RunningHash | null = null

  constructor(private readonly limit = MAX_RUNNING) {}

  get size(): number {
    return this.running.size
  }

  /** A block was written. */
  written(storage: number, piece: number, offset: number, bytes: Uint8Array): void {
    const key = storage * MAX_PIECES + piece
    let state = this.last?.key === key ? this.last : this.running.get(key)
    if (state === undefined) {
      if (offset !== 0) return
      state = this.start(storage, key)
    }
    if (offset === state.position) {
      state.hash.update(bytes)
      state.position += bytes.length
      this.last = state
    } else if (offset < state.position) {
      // what was hashed has been replaced
      this.drop(state)
    }
  }

  /** Forgets a piece: it failed, or its bytes may not be what was hashed. */
  clear(storage: number, piece: number): void {
    const state = this.running.get(storage * MAX_PIECES + piece)
    if (state !== undefined) this.drop(state)
  }

  /** Hands over what was hashed of a piece so far; a new hash if nothing was. */
  take(storage: number, piece: number): { readonly hash: Hash; readonly position: number } {
    const state = this.running.get(storage * MAX_PIECES + piece)
    if (state === undefined) return { hash: createHash('sha1'), position: 0 }
    this.drop(state)
    return state
  }

  forgetStorage(storage: number): void {
    for (const state of [...this.running.values()]) if (state.storage === storage) this.drop(state)
  }

  private start(storage: number, key: number): RunningHash {
    if (this.running.size >= this.limit) {
      for (const oldest of this.running.values()) {
        this.drop(oldest)
        break
      }
    }
    const state: RunningHash = { key, storage, hash: createHash('sha1'), position: 0 }
    this.running.set(key, state)
    return state
  }

  private drop(state: RunningHash): void {
    this.running.delete(state.key)
    if (this.last === state) this.last = null
  }
}
