import type { PeerTable } from './peerTable.ts'

/** From here on endpoints lie side by side: copying many is then a matter of one piece of memory. */
const SIDE_BY_SIDE_FROM = 16

/** Peers of one kind in a swarm, in no order: any of them is found by a number below the size, at once. */
export class PeerList {
  /** Slots in the table of their family. */
  readonly slots: number[] = []
  /** Their compact endpoints, once there are many. */
  private endpoints: Uint8Array | null = null

  add(table: PeerTable, slot: number): void {
    const { slots } = this
    const size = table.compactSize
    table.position[slot] = slots.length
    slots.push(slot)
    if (slots.length < SIDE_BY_SIDE_FROM) return
    if (this.endpoints === null || this.endpoints.length < slots.length * size) {
      this.endpoints = new Uint8Array(slots.length * 2 * size)
      for (let i = 0; i < slots.length; i++) table.writeEndpoint(slots[i], this.endpoints, i * size)
    } else table.writeEndpoint(slot, this.endpoints, (slots.length - 1) * size)
  }

  /** The last one takes the place of the one that leaves. */
  remove(table: PeerTable, slot: number): void {
    const { slots } = this
    const position = table.position[slot]
    const last = slots.pop()
    if (last !== undefined && last !== slot) {
      slots[position] = last
      table.position[last] = position
      if (this.endpoints !== null) table.writeEndpoint(last, this.endpoints, position * table.compactSize)
    }
    if (slots.length < SIDE_BY_SIDE_FROM / 2) this.endpoints = null
  }

  /** Writes the compact endpoint of the peer at `position` to `out`. */
  writeEndpoint(table: PeerTable, position: number, out: Uint8Array, at: number): void {
    const { endpoints } = this
    const size = table.compactSize
    if (endpoints === null) return table.writeEndpoint(this.slots[position], out, at)
    const start = position * size
    for (let i = 0; i < size; i++) out[at + i] = endpoints[start + i]
  }
}
