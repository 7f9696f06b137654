import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { latin1, readU16 } from '../util/bytes.ts'

/** Bytes of an endpoint in compact form. */
export type ContactSize = 6 | 18

/**
 * Where a node is reached. The compact form is the one that travels; the text a socket wants is made when it is needed
 * first, which for most nodes one hears about is never.
 */
export class NodeContact {
  private text: Endpoint | null = null
  private cachedKey: string | null = null

  /**
   * `compact` is 6 or 18 bytes, owned by the contact. It must be an array of its own, not a view of one: V8 keeps such
   * small ones without a buffer beside them, and there are thousands.
   */
  constructor(readonly compact: Uint8Array) {}

  get isV6(): boolean {
    return this.compact.length !== 6
  }

  get port(): number {
    return readU16(this.compact, this.compact.length - 2)
  }

  get endpoint(): Endpoint {
    this.text ??= { address: addressText(this.compact), port: this.port }
    return this.text
  }

  /** Equal for equal contacts; for maps. */
  get key(): string {
    this.cachedKey ??= contactKey(this.compact)
    return this.cachedKey
  }

  equals(compact: Uint8Array): boolean {
    return sameContact(this.compact, compact)
  }
}

/** The text of the address a compact contact begins with. */
export function addressText(c: Uint8Array): string {
  return c.length === 6 ? `${c[0]}.${c[1]}.${c[2]}.${c[3]}` : bytesToAddress(c.subarray(0, 16))
}

/** The contact of an endpoint, or null when its address is not one or its port cannot be sent to. */
export function contactOf(endpoint: Endpoint): NodeContact | null {
  const compact = new Uint8Array(18)
  const size = writeContact(endpoint, compact)
  return size === 0 || endpoint.port <= 0 || endpoint.port > 0xffff ? null : new NodeContact(compact.slice(0, size))
}

/**
 * Writes the compact form of `endpoint` to `out`, which has room for 18 bytes, and returns its size; 0 when the address
 * is not one. Cheap for IPv4, for it is done for each packet.
 */
export function writeContact(endpoint: Endpoint, out: Uint8Array): 0 | ContactSize {
  const { address, port } = endpoint
  let octet = -1
  let count = 0
  for (let i = 0; i <= address.length; i++) {
    const digit = i === address.length ? -2 : address.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) {
      octet = octet === -1 ? digit : octet * 10 + digit
      if (octet > 255) return 0
    } else if (digit === -2 && octet >= 0 && count < 4) {
      out[count++] = octet
      octet = -1
    } else {
      return writeV6Contact(address, port, out)
    }
  }
  if (count !== 4) return 0
  out[4] = port >>> 8
  out[5] = port
  return 6
}

function writeV6Contact(address: string, port: number, out: Uint8Array): 0 | ContactSize {
  const bytes = addressToBytes(address)
  if (bytes === null || bytes.length !== 16) return 0
  out.set(bytes, 0)
  out[16] = port >>> 8
  out[17] = port
  return 18
}

/** A text that is equal for equal compact endpoints. */
export function contactKey(c: Uint8Array): string {
  return c.length === 6 ? String.fromCharCode(c[0], c[1], c[2], c[3], c[4], c[5]) : latin1(c)
}

/** The same for the address alone. */
export function addressKey(c: Uint8Array): string {
  return c.length === 6 ? String.fromCharCode(c[0], c[1], c[2], c[3]) : latin1(c.subarray(0, 16))
}

/** A text that is equal for addresses so close that one person may have them all: a /24, or a /64 of IPv6. */
export function networkKey(c: Uint8Array): string {
  return c.length === 6 ? String.fromCharCode(c[0], c[1], c[2]) : latin1(c.subarray(0, 8))
}

export function sameContact(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
