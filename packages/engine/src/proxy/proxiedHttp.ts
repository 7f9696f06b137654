import type { Timers } from '../platform/clock.ts'
import type { HttpClient } from '../platform/http.ts'
import type { HttpStreamClient, HttpStreams } from '../platform/httpStream.ts'
import type { Resolver } from '../platform/resolver.ts'
import { notCarriedError } from './notCarried.ts'
import type { TcpWay } from './proxyPolicy.ts'

export interface ProxiedHttpHost {
  readonly timers: Timers
  /** For the proxy's own name, and for others that the proxy does not look up. */
  readonly resolver: Resolver
  /** How a request that begins now is sent. */
  way(): TcpWay
}

/** HTTP exchanges that go the way the settings say. */
export function proxiedHttpClient(client: HttpClient, host: ProxiedHttpHost): HttpClient {
  return {
    get(request, done) {
      const way = host.way()
      if (way === 'direct') return client.get(request, done)
      if (way === 'never') {
        const timer = host.timers.after(0, () => done(notCarriedError()))
        return () => timer.cancel()
      }
      return client.get({ ...request, proxy: way, resolver: host.resolver, family: undefined }, done)
    },
  }
}

/** The same for streams. */
export function proxiedHttpStreams(streams: HttpStreams, host: ProxiedHttpHost): HttpStreams {
  return { newClient: (maxConnections) => proxiedStreamClient(streams.newClient(maxConnections), host) }
}

function proxiedStreamClient(client: HttpStreamClient, host: ProxiedHttpHost): HttpStreamClient {
  return {
    open(request, handler) {
      const way = host.way()
      if (way === 'direct') return client.open(request, handler)
      if (way !== 'never') return client.open({ ...request, proxy: way, resolver: host.resolver }, handler)
      const timer = host.timers.after(0, () => handler.onError(notCarriedError()))
      return { resume: () => {}, abort: () => timer.cancel() }
    },
    close: () => client.close(),
  }
}
