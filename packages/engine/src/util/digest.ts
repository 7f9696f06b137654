import { compareBytes, equalBytes, fromHex, toHex } from './bytes.ts'

/**
 * A fixed-size big-endian number, immutable: libtorrent's `big_number`.
 * Ids and hashes are compared by value (`equals`), and make map keys through `toHex()`, which is cached.
 */
export class BigNumber {
  private hex: string | undefined

  constructor(readonly bytes: Uint8Array) {}

  /** Lower-case hexadecimal. */
  toHex(): string {
    this.hex ??= toHex(this.bytes)
    return this.hex
  }

  toString(): string {
    return this.toHex()
  }

  toJSON(): string {
    return this.toHex()
  }

  equals(other: BigNumber): boolean {
    return equalBytes(this.bytes, other.bytes)
  }

  /** Negative, zero or positive, comparing as unsigned big-endian numbers. */
  compare(other: BigNumber): number {
    return compareBytes(this.bytes, other.bytes)
  }

  isAllZeros(): boolean {
    return this.bytes.every((byte) => byte === 0)
  }
}

function sized(bytes: Uint8Array, size: number, name: string): Uint8Array {
  if (bytes.length !== size) throw new RangeError(`a ${name} has ${size} bytes, not ${bytes.length}`)
  // Not slice(): of a Node Buffer that would share the memory.
  return new Uint8Array(bytes)
}

function parsed(hex: string, size: number, name: string): Uint8Array {
  const bytes = fromHex(hex)
  if (bytes === null || bytes.length !== size) {
    throw new RangeError(`a ${name} is ${size * 2} hexadecimal digits, not "${hex.slice(0, 80)}"`)
  }
  return bytes
}

/** A SHA-1 value: v1 info-hash, piece hash, node id. The constructor copies its 20 bytes. */
export class Sha1Hash extends BigNumber {
  static readonly size = 20
  static readonly zero = new Sha1Hash(new Uint8Array(20))

  constructor(bytes: Uint8Array) {
    super(sized(bytes, 20, 'SHA-1 hash'))
  }

  /** @throws RangeError unless `hex` is 40 hexadecimal digits. */
  static fromHex(hex: string): Sha1Hash {
    return new Sha1Hash(parsed(hex, 20, 'SHA-1 hash'))
  }
}

/** A SHA-256 value: v2 info-hash. The constructor copies its 32 bytes. */
export class Sha256Hash extends BigNumber {
  static readonly size = 32

  constructor(bytes: Uint8Array) {
    super(sized(bytes, 32, 'SHA-256 hash'))
  }

  /** @throws RangeError unless `hex` is 64 hexadecimal digits. */
  static fromHex(hex: string): Sha256Hash {
    return new Sha256Hash(parsed(hex, 32, 'SHA-256 hash'))
  }
}
