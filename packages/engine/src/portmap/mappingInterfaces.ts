import { isLoopback } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'
import { sameSubnet } from '../address/subnet.ts'
import type { DefaultRoute, NetworkInterface } from '../platform/localNetwork.ts'

/** Routers are looked for on so many interfaces at most; machines with more have virtual ones. */
const MAX_INTERFACES = 8

/** An IPv4 interface that may lie behind a router. */
export interface MappingInterface {
  readonly local: NetworkInterface
  /** Its default gateway; null: it has none that is known. */
  readonly gateway: string | null
}

/**
 * The interfaces to look for routers on. Those without a default gateway - networks of containers and virtual machines -
 * lead nowhere, as in libtorrent; they are looked at only when no interface has one, or routes cannot be found out.
 * There is no port mapping for IPv6.
 */
export function mappingInterfaces(
  interfaces: readonly NetworkInterface[],
  routes: readonly DefaultRoute[],
): readonly MappingInterface[] {
  const candidates = interfaces
    .filter(({ address }) => !isV6(address) && !isLoopback(address))
    .map((local) => ({ local, gateway: gatewayOf(local, routes) }))
  const connected = candidates.filter(({ gateway }) => gateway !== null)
  return (connected.length > 0 ? connected : candidates).slice(0, MAX_INTERFACES)
}

function gatewayOf(local: NetworkInterface, routes: readonly DefaultRoute[]): string | null {
  const route = routes.find(
    ({ interfaceName, gateway }) =>
      (interfaceName === null || interfaceName === local.name) &&
      gateway !== local.address &&
      sameSubnet(gateway, local.address, local.prefixLength),
  )
  return route?.gateway ?? null
}
