import { isGlobal } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'

export interface OtherFamilyAddressHost {
  /** Where peers reach us: what trackers are told. */
  readonly ssl: { readonly announceEndpoints: readonly Endpoint[] }
  readonly session: {
    /** Others can reach us: peers do not go through a proxy. */
    readonly isReachable: boolean
  }
  /** Our address and port as others see them, null while unknown. */
  externalEndpoint(v6: boolean): Endpoint | null
}

/**
 * `ipv4` or `ipv6` of our extension handshake (BEP 10), which tell where else a peer can reach us: our address of the
 * family that `remoteAddress` is not of. The one we listen on, or the one others see; undefined: none is known.
 * libtorrent up to 1.0 sends `ipv6` and uses neither.
 */
export function otherFamilyAddress(
  host: OtherFamilyAddressHost,
  remoteAddress: string,
): { readonly ipv4?: string } | { readonly ipv6?: string } {
  if (!host.session.isReachable) return {}
  const v6 = !isV6(remoteAddress)
  const listening = host.ssl.announceEndpoints.filter(({ address }) => isV6(address) === v6)
  if (listening.length === 0) return {}
  const address = (listening.find((each) => isGlobal(each.address)) ?? host.externalEndpoint(v6))?.address
  return v6 ? { ipv6: address } : { ipv4: address }
}
