import { isUnspecified } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'

/** How a connection goes out. */
export interface LocalWay {
  /** The address it comes from; undefined: the system chooses. */
  readonly localAddress: string | undefined
  /** Only addresses of this family are connected to; undefined: both. */
  readonly family: 4 | 6 | undefined
}

/** By the listen socket at `address`. */
export function wayFrom(address: string): LocalWay {
  return { localAddress: isUnspecified(address) ? undefined : address, family: isV6(address) ? 6 : 4 }
}

/**
 * From a specific IPv4 address if there is one, else a specific IPv6 one, else as the system chooses. `localAddress`: the
 * address to be used for a family, null: none. Null: there is no way out.
 */
export function chosenWay(localAddress: (family: 4 | 6) => string | null): LocalWay | null {
  const v4 = localAddress(4)
  const v6 = localAddress(6)
  if (v4 !== null && (v6 === null || !isUnspecified(v4))) return wayFrom(v4)
  if (v6 !== null && (v4 === null || !isUnspecified(v6))) return wayFrom(v6)
  return v4 === null ? null : { localAddress: undefined, family: undefined }
}
