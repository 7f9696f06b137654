import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import { readU16, readU32, writeU16, writeU32 } from '../util/bytes.ts'
import type { Seconds } from '../util/flavored.ts'
import type { PortmapProtocol } from './portMapping.ts'

/** PCP, RFC 6887. */
export const PCP_VERSION = 2
export const PCP_NONCE_BYTES = 12

const OP_ANNOUNCE = 0
const OP_MAP = 1
const RESPONSE = 0x80
const HEADER_BYTES = 24
const MAP_BYTES = 60
/** Section 7: no message is larger. */
const MAX_BYTES = 1100
const IANA_TCP = 6
const IANA_UDP = 17

export const PcpResult = { success: 0, unsupportedVersion: 1 } as const

export interface PcpMapRequest {
  readonly protocol: PortmapProtocol
  /** Our own address, IPv4. */
  readonly localAddress: string
  readonly localPort: number
  /** Ignored when the lifetime is 0. */
  readonly externalPort: number
  /** The address outside to keep; null: any. */
  readonly externalAddress: string | null
  /** 0 ends the mapping. */
  readonly lifetime: Seconds
  readonly nonce: Uint8Array
}

export type PcpResponse =
  | {
      readonly kind: 'map'
      readonly result: number
      readonly epoch: Seconds
      readonly lifetime: Seconds
      readonly nonce: Uint8Array
      readonly protocol: PortmapProtocol
      readonly localPort: number
      readonly externalPort: number
      readonly externalAddress: string
    }
  /** The router started again (section 14.1.3). */
  | { readonly kind: 'announce'; readonly result: number; readonly epoch: Seconds }
  /** A refusal of the whole message, which does not say of which. */
  | { readonly kind: 'error'; readonly result: number; readonly epoch: Seconds; readonly lifetime: Seconds }
  | { readonly kind: 'unsupportedVersion' }

/** A MAP request (section 11.1). */
export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const packet = new Uint8Array(MAP_BYTES)
  const ends = request.lifetime === 0
  packet[0] = PCP_VERSION
  packet[1] = OP_MAP
  writeU32(packet, 4, request.lifetime)
  writeMapped(packet, 8, request.localAddress)
  packet.set(request.nonce, 24)
  packet[36] = request.protocol === 'tcp' ? IANA_TCP : IANA_UDP
  writeU16(packet, 40, request.localPort)
  writeU16(packet, 42, ends ? 0 : request.externalPort)
  writeMapped(packet, 44, ends ? null : request.externalAddress)
  return packet
}

/** A router's answer, or null for anything else. What follows it, options, is left alone. */
export function decodePcpResponse(packet: Uint8Array): PcpResponse | null {
  if (packet.length < 4 || packet.length > MAX_BYTES || (packet[1] & RESPONSE) === 0) return null
  const result = packet[3]
  // Its version is then the highest the router speaks, whichever that is.
  if (packet[0] !== 0 && result === PcpResult.unsupportedVersion) return { kind: 'unsupportedVersion' }
  if (packet[0] !== PCP_VERSION || packet.length < HEADER_BYTES || packet.length % 4 !== 0) return null
  const lifetime = readU32(packet, 4)
  const epoch = readU32(packet, 8)
  const op = packet[1] & ~RESPONSE
  if (op === OP_ANNOUNCE) return { kind: 'announce', result, epoch }
  const protocol = packet[36] === IANA_TCP ? 'tcp' : packet[36] === IANA_UDP ? 'udp' : null
  if (op !== OP_MAP || packet.length < MAP_BYTES || protocol === null) {
    return result === PcpResult.success ? null : { kind: 'error', result, epoch, lifetime }
  }
  return {
    kind: 'map',
    result,
    epoch,
    lifetime,
    nonce: packet.slice(24, 36),
    protocol,
    localPort: readU16(packet, 40),
    externalPort: readU16(packet, 42),
    externalAddress: bytesToAddress(packet.subarray(44, 60)),
  }
}

/** An IPv4 address as `::ffff:a.b.c.d` (section 5); null: any. */
function writeMapped(packet: Uint8Array, at: number, address: string | null): void {
  packet[at + 10] = 0xff
  packet[at + 11] = 0xff
  const bytes = address === null ? null : addressToBytes(address)
  if (bytes?.length === 4) packet.set(bytes, at + 12)
}
