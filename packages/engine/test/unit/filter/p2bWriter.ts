import { concatBytes, fromLatin1, utf8, writeU32 } from '../../../src/util/bytes.ts'

type NamedRange = readonly [name: string, first: number, last: number]

/** A PeerGuardian `.p2b` file. Versions 1 and 2 differ in the encoding of names. */
export function p2b(version: number, ranges: readonly NamedRange[]): Uint8Array {
  const header = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x50, 0x32, 0x42, version)
  const nameOf = (name: string) => concatBytes(version === 1 ? fromLatin1(name) : utf8(name), new Uint8Array(1))
  if (version < 3) {
    return concatBytes(header, ...ranges.flatMap(([name, first, last]) => [nameOf(name), u32(first), u32(last)]))
  }
  const names = [...new Set(ranges.map(([name]) => name))]
  return concatBytes(
    header,
    u32(names.length),
    ...names.map(nameOf),
    u32(ranges.length),
    ...ranges.flatMap(([name, first, last]) => [u32(names.indexOf(name)), u32(first), u32(last)]),
  )
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, value)
  return bytes
}
