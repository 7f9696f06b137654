import { addressToBytes } from '../address/addressBytes.ts'
import type { Timers } from '../platform/clock.ts'
import type { Resolver } from '../platform/resolver.ts'

/**
 * A resolver that asks nobody while `hides` is true: a name then stands for itself, for the proxy to look up. Addresses
 * are what they are.
 */
export function hidingResolver(resolver: Resolver, timers: Timers, hides: () => boolean): Resolver {
  const isHidden = (host: string) => hides() && !host.startsWith('[') && addressToBytes(host) === null
  return {
    resolve(host, done) {
      if (!isHidden(host)) return resolver.resolve(host, done)
      const timer = timers.after(0, () => done([host]))
      return () => timer.cancel()
    },
    known: (host) => (isHidden(host) ? null : (resolver.known?.(host) ?? null)),
  }
}
