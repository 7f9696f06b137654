import { isUnspecified } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { LocalNetwork } from '../platform/localNetwork.ts'

/**
 * The local network as far as we listen there. Who names addresses or devices to listen on does not want neighbours or
 * routers to be spoken to by another way: these interfaces are not there. With an unspecified address all are.
 */
export function listenedNetwork(network: LocalNetwork, listening: () => readonly Endpoint[]): LocalNetwork {
  return {
    interfaces() {
      const endpoints = listening()
      if (endpoints.some(({ address }) => isUnspecified(address))) return network.interfaces()
      const named = new Set(endpoints.map(({ address }) => address))
      return network.interfaces().filter(({ address }) => named.has(address))
    },
    defaultRoutes: (done) => network.defaultRoutes(done),
    bindMulticast: (options, handler, done) => network.bindMulticast(options, handler, done),
  }
}
