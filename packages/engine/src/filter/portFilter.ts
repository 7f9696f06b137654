import { RangeTable } from './rangeTable.ts'

const MAX_PORT = 0xffff

/**
 * Which ports of peers may be connected to (libtorrent 1.0, port_filter). A new filter allows all. Of rules that overlap
 * the last one counts. Peers that connect to us are let in whatever their port.
 *
 * `Session.setPortFilter` takes a copy: what is changed afterwards counts once it is set again.
 */
export class PortFilter {
  /** The flag of ports that are not connected to. */
  static readonly blocked = 1
  private table = new RangeTable(1, MAX_PORT)

  /**
   * Sets the flags of all ports from `first` to `last`, both included (1.0, port_filter::add_rule).
   * @throws RangeError for numbers that are no ports, or a `first` above `last`; TypeError for flags other than unsigned
   * numbers of 32 bits
   */
  addRule(first: number, last: number, flags: number): void {
    for (const port of [first, last]) {
      if (!Number.isInteger(port) || port < 0 || port > MAX_PORT)
        throw new RangeError(`a port is 0 to 65535, not ${port}`)
    }
    if (first > last) throw new RangeError(`the first port of a rule is the lower one: ${first} is above ${last}`)
    if (!Number.isInteger(flags) || flags < 0 || flags > 0xffff_ffff) {
      throw new TypeError(`flags are 0 or PortFilter.blocked, not ${flags}`)
    }
    this.table.addWord(first, last, flags)
  }

  /** The flags of a port: 0, or `PortFilter.blocked`. */
  access(port: number): number {
    return this.table.getWord(port)
  }

  /** Whether peers at this port are not connected to. */
  isBlocked(port: number): boolean {
    return (this.access(port) & PortFilter.blocked) !== 0
  }

  /** Every port is allowed. */
  get isEmpty(): boolean {
    return this.table.isBlank
  }

  /** A copy that changes on its own. */
  clone(): PortFilter {
    const copy = new PortFilter()
    copy.table = this.table.clone()
    return copy
  }
}
