import type { LibtorrentError } from '../errors/libtorrentError.ts'

/** Finds the addresses of host names. */
export interface Resolver {
  /**
   * Addresses of `host` in the order to try them; at least one, or an error (`ENOTFOUND`, ...).
   * A literal address resolves to itself. `done` is called later, unless the returned function is called before.
   */
  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void
  /** The addresses of `host` if they are known without asking anybody, else null. Left out: nothing is remembered. */
  known?(host: string): readonly string[] | null
}
