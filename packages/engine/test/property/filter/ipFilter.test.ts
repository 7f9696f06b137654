import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToAddress, formatV6 } from '../../../src/address/addressBytes.ts'
import { IpFilter, type IpRange } from '../../../src/filter/ipFilter.ts'
import { PortFilter } from '../../../src/filter/portFilter.ts'

interface Rule {
  readonly first: bigint
  readonly last: bigint
  readonly flags: number
}

const FAMILIES = [
  { name: 'IPv4', bits: 32n, textOf: (key: bigint) => bytesToAddress(bytesOf(key, 4)), side: 0 },
  // Not below 2^64, where IPv4 addresses have a place in IPv6.
  { name: 'IPv6', bits: 128n, textOf: (key: bigint) => formatV6(bytesOf(key, 16)), side: 1 },
] as const

function bytesOf(key: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((key >> BigInt(8 * (size - 1 - i))) & 255n))
}

/** Keys close to one another, to powers of two and to the ends, so that ranges overlap, touch and coincide. */
function keys(bits: bigint): fc.Arbitrary<bigint> {
  const max = (1n << bits) - 1n
  const min = bits === 128n ? 1n << 64n : 0n
  const near = fc
    .tuple(
      fc.constantFrom(min, max, ...[8n, 31n, 64n, 96n, 127n].filter((n) => n < bits).map((n) => 1n << n)),
      fc.integer({ min: -8, max: 8 }),
    )
    .map(([base, offset]) => base + BigInt(offset))
  return fc
    .oneof({ weight: 3, arbitrary: near }, fc.bigInt({ min, max }))
    .map((key) => (key < min ? min : key > max ? max : key))
}

function ruleLists(bits: bigint): fc.Arbitrary<Rule[]> {
  const rule = fc.tuple(keys(bits), keys(bits), fc.constantFrom(0, 1, 1, 2)).map(([a, b, flags]) => {
    return a <= b ? { first: a, last: b, flags } : { first: b, last: a, flags }
  })
  return fc.array(rule, { maxLength: 30 })
}

function naiveAccess(rules: readonly Rule[], key: bigint): number {
  return rules.findLast(({ first, last }) => first <= key && key <= last)?.flags ?? 0
}

const RUNS = { numRuns: 300 }

describe.each(FAMILIES)('$name rules', ({ bits, textOf, side }) => {
  const filterOf = (rules: readonly Rule[], asksAfter = -1) => {
    const filter = new IpFilter()
    for (const [i, { first, last, flags }] of rules.entries()) {
      filter.addRule(textOf(first), textOf(last), flags)
      // What is asked in between must make no difference.
      if (i === asksAfter) filter.access(textOf(first))
    }
    return filter
  }
  /** Where something may change, and one beside it. */
  const probes = (rules: readonly Rule[]) => {
    const max = (1n << bits) - 1n
    const around = rules.flatMap(({ first, last }) => [first - 1n, first, first + 1n, last - 1n, last, last + 1n])
    return around.filter((key) => key >= (bits === 128n ? 1n << 64n : 0n) && key <= max)
  }

  test('the last rule for an address counts, whatever was asked in between', () => {
    fc.assert(
      fc.property(ruleLists(bits), fc.nat(30), (rules, asksAfter) => {
        const filter = filterOf(rules, asksAfter)
        for (const key of probes(rules)) expect(filter.access(textOf(key))).toBe(naiveAccess(rules, key))
      }),
      RUNS,
    )
  })

  test('what is exported covers everything once, is the least there can be, and says the same', () => {
    fc.assert(
      fc.property(ruleLists(bits), (rules) => {
        const filter = filterOf(rules)
        const ranges: readonly IpRange[] = filter.exportFilter()[side]
        for (const [i, range] of ranges.slice(1).entries()) expect(range.flags).not.toBe(ranges[i].flags)
        expect(ranges[0].first).toBe(textOf(0n))
        expect(ranges.at(-1)?.last).toBe(textOf((1n << bits) - 1n))
        const again = new IpFilter()
        for (const { first, last, flags } of ranges) again.addRule(first, last, flags)
        expect(again.exportFilter()).toEqual(filter.exportFilter())
        for (const key of probes(rules)) expect(again.access(textOf(key))).toBe(filter.access(textOf(key)))
      }),
      RUNS,
    )
  })

  test('a copy and its original do not know of each other', () => {
    fc.assert(
      fc.property(ruleLists(bits), ruleLists(bits), (before, after) => {
        const filter = filterOf(before)
        const copy = filter.clone()
        for (const { first, last, flags } of after) filter.addRule(textOf(first), textOf(last), flags)
        for (const key of probes([...before, ...after])) {
          expect(copy.access(textOf(key))).toBe(naiveAccess(before, key))
          expect(filter.access(textOf(key))).toBe(naiveAccess([...before, ...after], key))
        }
      }),
      RUNS,
    )
  })
})

test('the last rule for a port counts', () => {
  const ports = fc.oneof(fc.constantFrom(0, 1, 1023, 1024, 65_534, 65_535), fc.nat(65_535))
  const rules = fc.array(fc.tuple(ports, ports, fc.constantFrom(0, 1)), { maxLength: 20 })
  fc.assert(
    fc.property(rules, fc.array(ports), (list, asked) => {
      const filter = new PortFilter()
      const model = new Uint8Array(65_536)
      for (const [a, b, flags] of list) {
        const [first, last] = a <= b ? [a, b] : [b, a]
        filter.addRule(first, last, flags)
        model.fill(flags, first, last + 1)
      }
      for (const port of [...asked, ...list.flat().filter((n) => n <= 65_535)]) {
        expect(filter.access(port)).toBe(model[port])
      }
    }),
  )
})
