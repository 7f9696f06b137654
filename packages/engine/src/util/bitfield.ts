/**
 * A fixed number of bits, most significant bit of the first byte first, as on the wire (BEP 3).
 * Spare bits of the last byte are always zero. Index out of range: `get` is false, writes are ignored.
 */
export class Bitfield {
  private bits: Uint8Array
  private length: number
  private ones: number

  /** `size` bits, all `value`. */
  constructor(size = 0, value = false) {
    this.length = size
    this.bits = new Uint8Array((size + 7) >> 3)
    this.ones = 0
    if (value) this.setAll()
  }

  /**
   * A copy of wire bytes. Null when `bytes` has not exactly the length `size` bits need,
   * or when a spare bit of the last byte is set.
   */
  static fromWire(bytes: Uint8Array, size: number): Bitfield | null {
    if (bytes.length !== (size + 7) >> 3) return null
    const spare = bytes.length * 8 - size
    if (spare > 0 && (bytes[bytes.length - 1] & ((1 << spare) - 1)) !== 0) return null
    const field = new Bitfield(0)
    field.length = size
    // Not slice(): of a Node Buffer that would share the memory.
    field.bits = new Uint8Array(bytes)
    field.ones = countOnes(field.bits)
    return field
  }

  /** Number of bits. */
  get size(): number {
    return this.length
  }

  /** Number of bits that are set; constant time. */
  get count(): number {
    return this.ones
  }

  /** True when every bit is set; an empty bitfield is all set. */
  get isAllSet(): boolean {
    return this.ones === this.length
  }

  get isNoneSet(): boolean {
    return this.ones === 0
  }

  get(index: number): boolean {
    return index >= 0 && index < this.length && (this.bits[index >> 3] & (0x80 >> (index & 7))) !== 0
  }

  set(index: number): void {
    if (index < 0 || index >= this.length || this.get(index)) return
    this.bits[index >> 3] |= 0x80 >> (index & 7)
    this.ones++
  }

  clear(index: number): void {
    if (!this.get(index)) return
    this.bits[index >> 3] &= ~(0x80 >> (index & 7))
    this.ones--
  }

  setAll(): void {
    this.bits.fill(0xff)
    const spare = this.bits.length * 8 - this.length
    if (spare > 0) this.bits[this.bits.length - 1] &= 0xff << spare
    this.ones = this.length
  }

  clearAll(): void {
    this.bits.fill(0)
    this.ones = 0
  }

  /** Changes the number of bits; new ones are `value`. */
  resize(size: number, value = false): void {
    const old = this.length
    const bits = new Uint8Array((size + 7) >> 3)
    bits.set(this.bits.subarray(0, bits.length))
    this.bits = bits
    this.length = size
    const spare = bits.length * 8 - size
    if (spare > 0) bits[bits.length - 1] &= 0xff << spare
    this.ones = countOnes(bits)
    if (value) for (let i = old; i < size; i++) this.set(i)
  }

  clone(): Bitfield {
    const copy = new Bitfield(0)
    copy.bits = this.bits.slice()
    copy.length = this.length
    copy.ones = this.ones
    return copy
  }

  equals(other: Bitfield): boolean {
    if (this.length !== other.length || this.ones !== other.ones) return false
    for (let i = 0; i < this.bits.length; i++) if (this.bits[i] !== other.bits[i]) return false
    return true
  }

  /** The bytes as sent in a bitfield message. A view: do not keep or change it. */
  asBytes(): Uint8Array {
    return this.bits
  }

  /** Calls `visit` with the index of each set bit, ascending. */
  forEachSet(visit: (index: number) => void): void {
    const bits = this.bits
    for (let i = 0; i < bits.length; i++) {
      let byte = bits[i]
      while (byte !== 0) {
        const lead = Math.clz32(byte) - 24
        visit(i * 8 + lead)
        byte &= ~(0x80 >> lead)
      }
    }
  }

  *[Symbol.iterator](): Iterator<boolean> {
    for (let i = 0; i < this.length; i++) yield this.get(i)
  }
}

function countOnes(bits: Uint8Array): number {
  let ones = 0
  for (let i = 0; i < bits.length; i++) {
    let byte = bits[i]
    byte -= (byte >> 1) & 0x55
    byte = (byte & 0x33) + ((byte >> 2) & 0x33)
    ones += (byte + (byte >> 4)) & 0x0f
  }
  return ones
}
