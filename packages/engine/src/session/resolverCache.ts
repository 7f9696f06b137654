import { addressToBytes } from '../address/addressBytes.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Millis, Seconds } from '../util/flavored.ts'

export interface ResolverCacheHost {
  /** The platform's: it asks name servers, or whatever the system does. */
  readonly resolver: Resolver
  readonly clock: Clock
  readonly timers: Timers
  /** Setting `resolver_cache_timeout`; read anew each time. */
  readonly cacheTimeout: Seconds
}

type Done = Parameters<Resolver['resolve']>[1]

interface Answer {
  readonly addresses: readonly string[]
  readonly at: Millis
}

/** Everybody who waits for one name. */
interface Lookup {
  readonly waiting: Set<Done>
  cancel: () => void
}

/** Names remembered at once, as in libtorrent: beyond, the oldest answer makes room. */
export const RESOLVER_CACHE_SIZE = 700

/**
 * Remembers what names stand for, and asks once for all who want to know the same: ten thousand torrents of one tracker
 * cost one lookup. Failures are not remembered - whoever asks again after one has waited already, and a name server that
 * is back is to be noticed.
 */
export class ResolverCache implements Resolver {
  /** Oldest first. */
  private readonly answers = new Map<string, Answer>()
  private readonly lookups = new Map<string, Lookup>()

  constructor(private readonly host: ResolverCacheHost) {}

  known(host: string): readonly string[] | null {
    return isLiteral(host) ? [host] : this.remembered(host.toLowerCase())
  }

  resolve(host: string, done: Done): () => void {
    if (isLiteral(host)) return this.host.resolver.resolve(host, done)
    const name = host.toLowerCase()
    const known = this.remembered(name)
    if (known === null) return this.wait(name, done)
    const timer = this.host.timers.after(0, () => done(known))
    return () => timer.cancel()
  }

  private wait(name: string, done: Done): () => void {
    // A function of its own: the same callback may wait twice.
    const waiter: Done = (result) => done(result)
    let lookup = this.lookups.get(name)
    if (lookup === undefined) {
      lookup = { waiting: new Set([waiter]), cancel: () => {} }
      this.lookups.set(name, lookup)
      lookup.cancel = this.host.resolver.resolve(name, (result) => this.onAnswer(name, result))
    } else lookup.waiting.add(waiter)
    const joined = lookup
    return () => {
      if (!joined.waiting.delete(waiter) || joined.waiting.size > 0 || this.lookups.get(name) !== joined) return
      this.lookups.delete(name)
      joined.cancel()
    }
  }

  private onAnswer(name: string, result: readonly string[] | LibtorrentError): void {
    const lookup = this.lookups.get(name)
    if (lookup === undefined) return
    this.lookups.delete(name)
    if (!(result instanceof LibtorrentError)) this.remember(name, result)
    for (const waiter of lookup.waiting) waiter(result)
  }

  private remembered(name: string): readonly string[] | null {
    const answer = this.answers.get(name)
    if (answer === undefined) return null
    if (this.host.clock.now() - answer.at < this.host.cacheTimeout * 1000) return answer.addresses
    this.answers.delete(name)
    return null
  }

  private remember(name: string, addresses: readonly string[]): void {
    this.answers.delete(name)
    if (this.host.cacheTimeout <= 0) return
    if (this.answers.size >= RESOLVER_CACHE_SIZE) this.answers.delete(this.answers.keys().next().value as string)
    this.answers.set(name, { addresses, at: this.host.clock.now() })
  }
}

function isLiteral(host: string): boolean {
  return host.startsWith('[') || addressToBytes(host) !== null
}
