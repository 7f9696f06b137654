import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { readU32, writeU32 } from '../util/bytes.ts'

/** Kinds of `ut_holepunch` messages (BEP 55); the numbers are those on the wire. */
export const HolepunchType = {
  /** To a relay: introduce me to this peer. */
  rendezvous: 0,
  /** From a relay: connect to this peer, by uTP, now. */
  connect: 1,
  /** From a relay: it cannot be done. */
  failed: 2,
} as const
export type HolepunchType = (typeof HolepunchType)[keyof typeof HolepunchType]

/** Why a relay cannot introduce somebody (BEP 55). */
export const HolepunchError = { none: 0, noSuchPeer: 1, notConnected: 2, noSupport: 3, noSelf: 4 } as const

export interface HolepunchMessage {
  readonly type: HolepunchType
  /** Its port is 0 in a `rendezvous` only. */
  readonly endpoint: Endpoint
  /** A `HolepunchError`; whatever a stranger sent with `failed`, 0 with the others. */
  readonly error: number
}

const V4 = 0
const V6 = 1
const HEADER_BYTES = 2

/** The payload of a `ut_holepunch` message. */
export function encodeUtHolepunch({ type, endpoint, error }: HolepunchMessage): Uint8Array {
  const address = addressToBytes(endpoint.address)
  if (address === null) throw new Error(`not an address: ${endpoint.address}`)
  const payload = new Uint8Array(HEADER_BYTES + address.length + 2 + 4)
  payload[0] = type
  payload[1] = address.length === 4 ? V4 : V6
  payload.set(address, HEADER_BYTES)
  const at = HEADER_BYTES + address.length
  payload[at] = endpoint.port >> 8
  payload[at + 1] = endpoint.port & 0xff
  writeU32(payload, at + 2, error)
  return payload
}

/** Null when it makes no sense. libtorrent leaves the error code out where there is none: it may be missing. */
export function decodeUtHolepunch(payload: Uint8Array): HolepunchMessage | null {
  const [type, family] = payload
  if (!isType(type) || (family !== V4 && family !== V6)) return null
  const at = HEADER_BYTES + (family === V4 ? 4 : 16)
  if (payload.length < at + 2) return null
  const port = payload[at] * 0x100 + payload[at + 1]
  // Who asks for the impossible is told so.
  if (port === 0 && type !== HolepunchType.rendezvous) return null
  const error = type === HolepunchType.failed && payload.length >= at + 6 ? readU32(payload, at + 2) : 0
  return { type, endpoint: { address: bytesToAddress(payload.subarray(HEADER_BYTES, at)), port }, error }
}

function isType(type: number | undefined): type is HolepunchType {
  return type === HolepunchType.rendezvous || type === HolepunchType.connect || type === HolepunchType.failed
}
