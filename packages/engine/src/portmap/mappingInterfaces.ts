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
  /**
   * The one of several interfaces or addresses before one router that is to be mapped when it does not matter which:
   * the router would forward a port to one of them only.
   */
  readonly isPreferred: boolean
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
    .map((local) => ({ local, route: routes.findIndex((route) => leadsOut(route, local)) }))
  const connected = candidates.filter(({ route }) => route !== -1)
  const chosen = (connected.length > 0 ? connected : candidates).sort((a, b) => a.route - b.route)
  const routers = new Set<string>()
  return chosen.slice(0, MAX_INTERFACES).map(({ local, route }) => {
    const gateway = routes[route]?.gateway ?? null
    const router = gateway ?? `behind ${local.name}`
    const isPreferred = !routers.has(router)
    routers.add(router)
    return { local, gateway, isPreferred }
  })
}

function leadsOut({ interfaceName, gateway }: DefaultRoute, local: NetworkInterface): boolean {
  return (
    (interfaceName === null || interfaceName === local.name) &&
    gateway !== local.address &&
    sameSubnet(gateway, local.address, local.prefixLength)
  )
}

/** Whether a mapping that was wanted for `localAddress`, or for any (null), is to be made by the router before `on`. */
export function isMappedOn(localAddress: string | null, on: Pick<MappingInterface, 'local' | 'isPreferred'>): boolean {
  return localAddress === null ? on.isPreferred : localAddress === on.local.address
}
