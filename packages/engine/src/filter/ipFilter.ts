import { parseAddressWords, v4WordToAddress, v6WordsToAddress } from '../address/addressWords.ts'
import { parseV4Word } from '../address/parseV4Word.ts'
import { type KeyRange, RangeTable } from './rangeTable.ts'

/** Addresses from `first` to `last`, both included, for which the same `flags` hold (manual, ip_range). */
export interface IpRange {
  readonly first: string
  readonly last: string
  /** 0, or `IpFilter.blocked`. */
  readonly flags: number
}

/** The ranges of a filter, IPv4 and IPv6 (manual, `filter_tuple_t`). */
export type IpFilterRanges = readonly [v4: readonly IpRange[], v6: readonly IpRange[]]

const MAX_FLAGS = 0xffff_ffff

/**
 * Which addresses may be connected to, and connect to us (manual, ip_filter). A new filter allows all. Rules are added in
 * any order and number; of rules that overlap the last one counts. `loadIpFilter` reads lists.
 *
 * `Session.setIpFilter` takes a copy: what is changed afterwards counts once it is set again.
 *
 * @example
 * const filter = new IpFilter()
 * filter.addRule('10.0.0.0', '10.255.255.255', IpFilter.blocked)
 * filter.addRule('10.0.0.7', '10.0.0.7', 0)
 * session.setIpFilter(filter)
 */
export class IpFilter {
  /** The flag of ranges that are neither connected to nor let in. */
  static readonly blocked = 1
  private v4 = new RangeTable(1)
  private v6 = new RangeTable(4)
  private readonly first = new Uint32Array(4)
  private readonly last = new Uint32Array(4)

  /**
   * Sets the flags of all addresses from `first` to `last`, both included (manual, add_rule); rules before it no longer
   * count for these. Both are IPv4, or both are IPv6; `::ffff:1.2.3.4` is IPv4. Many rules in a row cost O(n log n),
   * the first `access` after them included.
   * @throws TypeError for what is no address, for two families, and for flags other than unsigned numbers of 32 bits;
   * RangeError when `first` is above `last`
   */
  addRule(first: string, last: string, flags: number): void {
    const family = this.familyOf(first, this.first)
    if (this.familyOf(last, this.last) !== family) {
      throw new TypeError(`a rule is for IPv4 or for IPv6: "${first}" and "${last}" are of different families`)
    }
    if (!Number.isInteger(flags) || flags < 0 || flags > MAX_FLAGS) {
      throw new TypeError(`flags are 0 or IpFilter.blocked, not ${flags}`)
    }
    if (isAbove(this.first, this.last, family === 4 ? 1 : 4)) {
      throw new RangeError(`the first address of a rule is the lower one: "${first}" is above "${last}"`)
    }
    if (family === 4) this.v4.addWord(this.first[0], this.last[0], flags)
    else this.v6.add(this.first, this.last, flags)
  }

  /** As `addRule`, for IPv4 addresses as unsigned numbers of 32 bits that are known to be in order. */
  addV4Rule(first: number, last: number, flags: number): void {
    this.v4.addWord(first, last, flags)
  }

  /** As `addRule`, for IPv6 addresses as four numbers of 32 bits that are known to be in order. */
  addV6Rule(first: Uint32Array, last: Uint32Array, flags: number): void {
    this.v6.add(first, last, flags)
  }

  /** Adds each range of `other` that has flags as a rule: two lists become one. */
  addFilter(other: IpFilter): void {
    this.v4.addTable(other.v4)
    this.v6.addTable(other.v6)
  }

  /**
   * The flags of an address: 0, or `IpFilter.blocked` (manual, access). O(log n). What is no address has none.
   */
  access(address: string): number {
    const word = parseV4Word(address)
    if (word !== -1) return this.v4.getWord(word)
    const family = parseAddressWords(address, this.first)
    if (family === 0) return 0
    return family === 4 ? this.v4.getWord(this.first[0]) : this.v6.get(this.first)
  }

  /** Whether connections to and from an address are refused. */
  isBlocked(address: string): boolean {
    return (this.access(address) & IpFilter.blocked) !== 0
  }

  /** Every address is allowed. */
  get isEmpty(): boolean {
    return this.v4.isBlank && this.v6.isBlank
  }

  /** The whole filter in the fewest ranges, those that are allowed included, in ascending order (manual, export_filter). */
  exportFilter(): IpFilterRanges {
    return [
      Array.from(this.v4.ranges(), ({ first, last, flags }) => ({
        first: v4WordToAddress(first[0]),
        last: v4WordToAddress(last[0]),
        flags,
      })),
      Array.from(this.v6.ranges(), v6Range),
    ]
  }

  /** A copy that changes on its own. It shares the ranges, and costs nothing. */
  clone(): IpFilter {
    const copy = new IpFilter()
    copy.v4 = this.v4.clone()
    copy.v6 = this.v6.clone()
    return copy
  }

  private familyOf(address: string, words: Uint32Array): 4 | 6 {
    const family = typeof address === 'string' ? parseAddressWords(address, words) : 0
    if (family !== 0) return family
    throw new TypeError(`not an IPv4 or IPv6 address: "${String(address).slice(0, 80)}"`)
  }
}

function v6Range({ first, last, flags }: KeyRange): IpRange {
  return { first: v6WordsToAddress(first), last: v6WordsToAddress(last), flags }
}

function isAbove(first: Uint32Array, last: Uint32Array, words: number): boolean {
  for (let i = 0; i < words; i++) if (first[i] !== last[i]) return first[i] > last[i]
  return false
}
