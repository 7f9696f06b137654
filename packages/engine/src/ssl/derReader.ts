/** One value of a DER encoding: its tag byte and its content. */
export interface DerValue {
  readonly tag: number
  readonly content: Uint8Array
}

/** Tag bytes of the few types certificates are read for. */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const

/** Content longer than what three bytes can count is in no certificate. */
const MAX_LENGTH_BYTES = 3

/** Reads DER (X.690) value by value. Never throws; what is malformed ends it. */
export class DerReader {
  private at = 0
  private failed = false

  constructor(private readonly bytes: Uint8Array) {}

  /** Everything was read, and all of it was well-formed. */
  get isComplete(): boolean {
    return !this.failed && this.at === this.bytes.length
  }

  /** The tag of the next value; -1 when there is none. */
  get nextTag(): number {
    return this.failed || this.at >= this.bytes.length ? -1 : this.bytes[this.at]
  }

  /** The next value; null at the end, and from the first malformed one on. */
  next(): DerValue | null {
    const tag = this.nextTag
    // Tags of more than one byte are used by nothing we read.
    if (tag === -1 || (tag & 0x1f) === 0x1f) return this.fail()
    const length = this.readLength(this.at + 1)
    if (length === null) return this.fail()
    const content = this.bytes.subarray(length.end, length.end + length.value)
    if (content.length < length.value) return this.fail()
    this.at = length.end + length.value
    return { tag, content }
  }

  /** The next value if it has this tag, else null, and then nothing is read any more. */
  take(tag: number): Uint8Array | null {
    return this.nextTag === tag ? (this.next()?.content ?? null) : this.fail()
  }

  private readLength(from: number): { readonly value: number; readonly end: number } | null {
    const { bytes } = this
    if (from >= bytes.length) return null
    const first = bytes[from]
    if (first < 0x80) return { value: first, end: from + 1 }
    const count = first & 0x7f
    if (count === 0 || count > MAX_LENGTH_BYTES || from + count >= bytes.length) return null
    let value = 0
    for (let i = 1; i <= count; i++) value = value * 256 + bytes[from + i]
    return { value, end: from + 1 + count }
  }

  private fail(): null {
    this.failed = true
    return null
  }
}
