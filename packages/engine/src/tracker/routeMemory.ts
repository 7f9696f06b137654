import { isGlobal } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'
import { isUnreachable, noRouteError } from './trackerErrors.ts'

/** Shorter than the first pause of a failing tracker: nobody who tries again is answered from memory. */
const MEMORY_MS: Millis = 15_000

/**
 * Where there is no way out of: on a machine without IPv6, ten thousand torrents find that out once, not each for each of
 * its trackers.
 */
export class RouteMemory {
  private readonly closed = new Map<string, { readonly error: LibtorrentError; readonly until: Millis }>()

  constructor(private readonly clock: Clock) {}

  /** Why a tracker at `addresses` cannot be reached from `local`; null: for all that is known it can. */
  refusal(local: Endpoint, addresses: readonly string[]): LibtorrentError | null {
    const ours = addresses.filter((address) => isV6(address) === isV6(local.address))
    if (ours.length === 0) return noRouteError()
    const closed = this.closed.get(local.address)
    if (closed === undefined) return null
    if (closed.until <= this.clock.now()) {
      this.closed.delete(local.address)
      return null
    }
    // The own machine and the own network are reached without a way out.
    return ours.every(isGlobal) ? closed.error : null
  }

  /** An announce from `local` has failed. */
  onFailure(local: Endpoint, error: LibtorrentError): void {
    if (error.code === 'EAFNOSUPPORT' || !isUnreachable(error)) return
    this.closed.set(local.address, { error, until: this.clock.now() + MEMORY_MS })
  }

  clear(): void {
    this.closed.clear()
  }
}
