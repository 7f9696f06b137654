import { bytesToAddress } from '../address/addressBytes.ts'
import { readU16, readU32, writeU16, writeU32 } from '../util/bytes.ts'
import type { Seconds } from '../util/flavored.ts'
import type { PortmapProtocol } from './portMapping.ts'

/** NAT-PMP, RFC 6886. */
export const NATPMP_VERSION = 0

const OP_ADDRESS = 0
const OP_MAP_UDP = 1
const OP_MAP_TCP = 2
const RESPONSE = 0x80

export const NatpmpResult = { success: 0, unsupportedVersion: 1 } as const

export type NatpmpResponse =
  | { readonly kind: 'address'; readonly result: number; readonly epoch: Seconds; readonly address: string | null }
  | {
      readonly kind: 'map'
      readonly result: number
      readonly epoch: Seconds
      readonly protocol: PortmapProtocol
      readonly localPort: number
      readonly externalPort: number
      readonly lifetime: Seconds
    }
  /** The router does not speak what was asked in. */
  | { readonly kind: 'unsupportedVersion' }

/** Asks for the router's address outside (section 3.2). */
export function encodeAddressRequest(): Uint8Array {
  return Uint8Array.of(NATPMP_VERSION, OP_ADDRESS)
}

/** Asks for a mapping, or with lifetime 0 for its end (sections 3.3, 3.4). */
export function encodeNatpmpMap(
  protocol: PortmapProtocol,
  localPort: number,
  externalPort: number,
  lifetime: Seconds,
): Uint8Array {
  const packet = new Uint8Array(12)
  packet[1] = protocol === 'udp' ? OP_MAP_UDP : OP_MAP_TCP
  writeU16(packet, 4, localPort)
  // A mapping that is to end is named by its inner port alone.
  writeU16(packet, 6, lifetime === 0 ? 0 : externalPort)
  writeU32(packet, 8, lifetime)
  return packet
}

/** A router's answer, or null for anything else. Answers that refuse may be shorter than their kind. */
export function decodeNatpmpResponse(packet: Uint8Array): NatpmpResponse | null {
  if (packet.length < 4 || packet[0] !== NATPMP_VERSION) return null
  const result = readU16(packet, 2)
  if (result === NatpmpResult.unsupportedVersion) return { kind: 'unsupportedVersion' }
  if (packet.length < 8 || (packet[1] & RESPONSE) === 0) return null
  const epoch = readU32(packet, 4)
  const op = packet[1] & ~RESPONSE
  if (op === OP_ADDRESS) {
    if (result === NatpmpResult.success && packet.length < 12) return null
    const address = packet.length >= 12 ? bytesToAddress(packet.subarray(8, 12)) : null
    return { kind: 'address', result, epoch, address }
  }
  if ((op !== OP_MAP_UDP && op !== OP_MAP_TCP) || packet.length < 16) return null
  return {
    kind: 'map',
    result,
    epoch,
    protocol: op === OP_MAP_UDP ? 'udp' : 'tcp',
    localPort: readU16(packet, 8),
    externalPort: readU16(packet, 10),
    lifetime: readU32(packet, 12),
  }
}
