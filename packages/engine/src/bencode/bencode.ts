import { type Entry, type EntryObject, Preformatted } from './entry.ts'

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)

/**
 * The canonical encoding of `entry` (BEP 3): keys sorted as bytes, integers and lengths without leading zeros.
 * @throws RangeError for a number that is no safe integer, a bigint beyond 64 bits, or a key with a character above
 * U+00FF (a key is bytes: see `Entry`).
 */
export function bencode(entry: Entry): Uint8Array {
  const writer = new BencodeWriter()
  writer.entry(entry)
  return writer.finish()
}

class BencodeWriter {
  private out = Buffer.allocUnsafe(512)
  private at = 0

  entry(entry: Entry): void {
    if (typeof entry === 'string') this.text(entry, 'utf8')
    else if (typeof entry === 'number') this.integer(entry)
    else if (typeof entry === 'bigint') this.bigInteger(entry)
    else if (entry instanceof Uint8Array) this.bytes(entry)
    else if (Array.isArray(entry)) this.list(entry)
    else if (entry instanceof Preformatted) this.raw(entry.bytes)
    else if (entry instanceof Map) this.dict([...entry])
    else this.dict(Object.entries(entry as EntryObject))
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.at)
    result.set(this.out.subarray(0, this.at))
    return result
  }

  private list(items: readonly Entry[]): void {
    this.byte(0x6c)
    for (const item of items) this.entry(item)
    this.byte(0x65)
  }

  private dict(members: [string, Entry | undefined][]): void {
    // every character is one byte, so that the order of code units is the order of bytes
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.byte(0x64)
    for (const [key, value] of members) {
      if (value === undefined) continue
      for (let i = 0; i < key.length; i++) {
        if (key.charCodeAt(i) > 0xff) throw new RangeError(`a bencoded key is bytes, not "${key.slice(0, 80)}"`)
      }
      this.text(key, 'latin1')
      this.entry(value)
    }
    this.byte(0x65)
  }

  private integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer that can be bencoded exactly`)
    // a negative zero would be written -0
    this.ascii(`i${value === 0 ? 0 : value}e`)
  }

  private bigInteger(value: bigint): void {
    if (value > MAX_INT || value < MIN_INT) throw new RangeError(`${value} does not fit in 64 bits`)
    this.ascii(`i${value}e`)
  }

  private text(text: string, encoding: 'utf8' | 'latin1'): void {
    const length = Buffer.byteLength(text, encoding)
    this.ascii(`${length}:`)
    this.reserve(length)
    this.at += this.out.write(text, this.at, encoding)
  }

  private bytes(bytes: Uint8Array): void {
    this.ascii(`${bytes.length}:`)
    this.raw(bytes)
  }

  private raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.out.set(bytes, this.at)
    this.at += bytes.length
  }

  private ascii(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.out[this.at++] = text.charCodeAt(i)
  }

  private byte(byte: number): void {
    this.reserve(1)
    this.out[this.at++] = byte
  }

  private reserve(length: number): void {
    if (this.at + length <= this.out.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.at + length))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
  }
}
