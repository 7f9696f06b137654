import type { LibtorrentError } from '../errors/libtorrentError.ts'

/** Finds the addresses of host names. */
export interface Resolver {
  /**
   * Addresses of `host` in the order to try them; at least one, or an error (`ENOTFOUND`, ...).
   * A literal address resolves to itself. Results are cached for `resolver_cache_timeout`.
   * Returns a function that cancels: `done` is then not called.
   */
  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void
}
