import { parseAddressWords } from '../../../src/address/addressWords.ts'
import { concatBytes, utf8, writeU32 } from '../../../src/util/bytes.ts'

/** What a record may be made of. */
export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [key: string]: MmdbValue }

export interface MmdbOptions {
  readonly type: string
  readonly ipVersion?: 4 | 6
  readonly recordSize?: 24 | 28 | 32
}

const MARKER = Uint8Array.of(0xab, 0xcd, 0xef, ...utf8('MaxMind.com'))

/**
 * A MaxMind database (format 2.0) with a record for each network, `1.2.3.0/24` or `2001:db8::/32`. IPv4 networks lie at
 * `::/96` of an IPv6 tree, as in MaxMind's own.
 */
export function mmdb(records: Readonly<Record<string, MmdbValue>>, options: MmdbOptions): Uint8Array {
  const { type, ipVersion = 6, recordSize = 28 } = options
  const tree = new Tree()
  const parts: Uint8Array[] = []
  let dataSize = 0
  for (const [network, value] of Object.entries(records)) {
    const encoded = encode(value)
    tree.insert(bitsOf(network, ipVersion), dataSize)
    parts.push(encoded)
    dataSize += encoded.length
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: type,
    description: { en: 'for tests' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: tree.nodes.length,
    record_size: recordSize,
  })
  return concatBytes(tree.encode(recordSize), new Uint8Array(16), ...parts, MARKER, metadata)
}

type Child = { readonly node: number } | { readonly data: number } | null

class Tree {
  readonly nodes: [Child, Child][] = [[null, null]]

  insert(bits: readonly number[], data: number): void {
    let at = 0
    for (const bit of bits.slice(0, -1)) {
      const child = this.nodes[at][bit]
      if (child !== null && 'node' in child) {
        at = child.node
        continue
      }
      this.nodes.push([null, null])
      this.nodes[at][bit] = { node: this.nodes.length - 1 }
      at = this.nodes.length - 1
    }
    this.nodes[at][bits.at(-1) ?? 0] = { data }
  }

  encode(recordSize: 24 | 28 | 32): Uint8Array {
    const count = this.nodes.length
    const recordOf = (child: Child) => (child === null ? count : 'node' in child ? child.node : count + 16 + child.data)
    return concatBytes(
      ...this.nodes.map(([left, right]) => {
        const [l, r] = [recordOf(left), recordOf(right)]
        if (recordSize === 32) return concatBytes(u32(l), u32(r))
        if (recordSize === 24) return concatBytes(u32(l).subarray(1), u32(r).subarray(1))
        const middle = ((l >>> 24) << 4) | (r >>> 24)
        return concatBytes(u32(l).subarray(1), Uint8Array.of(middle), u32(r).subarray(1))
      }),
    )
  }
}

function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const [address, length] = network.split('/')
  const words = new Uint32Array(4)
  const family = parseAddressWords(address, words)
  const all = Array.from({ length: family === 4 ? 32 : 128 }, (_, i) => (words[i >> 5] >>> (31 - (i & 31))) & 1)
  const prefix = family === 4 && ipVersion === 6 ? new Array<number>(96).fill(0) : []
  return [...prefix, ...all.slice(0, Number(length))]
}

function encode(value: MmdbValue): Uint8Array {
  if (typeof value === 'string') return concatBytes(control(2, utf8(value).length), utf8(value))
  if (typeof value === 'boolean') return control(14, value ? 1 : 0)
  if (typeof value === 'number') return concatBytes(control(6, 4), u32(value))
  if (Array.isArray(value)) return concatBytes(control(11, value.length), ...value.map(encode))
  const entries = Object.entries(value)
  return concatBytes(control(7, entries.length), ...entries.flatMap(([key, each]) => [encode(key), encode(each)]))
}

/** Type and size; sizes up to 284 are enough here. */
function control(type: number, size: number): Uint8Array {
  const [low, more] = size < 29 ? [size, []] : [29, [size - 29]]
  return type <= 7 ? Uint8Array.of((type << 5) | low, ...more) : Uint8Array.of(low, type - 7, ...more)
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, value)
  return bytes
}
