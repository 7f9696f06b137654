import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Clock } from '../platform/clock.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Millis } from '../util/flavored.ts'

interface CachedAnswer {
  readonly addresses: readonly string[]
  readonly expires: Millis
}

/** Setting `resolver_cache_timeout`: how long an answer is reused. */
const CACHE_TIME_MS = 1_200_000
const CACHE_LIMIT = 700

/** Host names by the system's resolver, so that /etc/hosts and local policy count. */
export class NodeResolver implements Resolver {
  private readonly cache = new Map<string, CachedAnswer>()

  constructor(private readonly clock: Clock) {}

  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void {
    let cancelled = false
    const answer = (result: readonly string[] | LibtorrentError) => {
      if (!cancelled) done(result)
    }
    const cancel = () => {
      cancelled = true
    }
    const literal = host.startsWith('[') ? host.slice(1, -1) : host
    const known = isIP(literal) !== 0 ? [literal] : this.fromCache(host)
    if (known !== null) {
      setImmediate(answer, known)
      return cancel
    }
    lookup(host, { all: true, order: 'verbatim' }, (cause, found) => {
      if (cause) return answer(systemError(cause, { operation: 'hostnameLookup' }))
      const addresses = found.map((entry) => entry.address)
      this.remember(host, addresses)
      answer(addresses)
    })
    return cancel
  }

  private fromCache(host: string): readonly string[] | null {
    const cached = this.cache.get(host)
    return cached !== undefined && cached.expires > this.clock.now() ? cached.addresses : null
  }

  private remember(host: string, addresses: readonly string[]): void {
    if (this.cache.size >= CACHE_LIMIT) this.cache.delete(this.cache.keys().next().value as string)
    this.cache.set(host, { addresses, expires: this.clock.now() + CACHE_TIME_MS })
  }
}
