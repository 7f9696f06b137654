import { VERSION } from '../util/version.ts'

/** `v` of our messages (BEP 5, BEP 20): client and version. */
const CLIENT_VERSION = clientVersion(VERSION)
/** Bytes `KrpcWriter.version` writes at most. */
export const VERSION_SIZE = 3 + 2 + CLIENT_VERSION.length

function clientVersion(version: string): Uint8Array {
  const [major, minor, tiny] = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return Uint8Array.of(0x4c, 0x4a, major & 0xff, ((minor & 0x0f) << 4) | (tiny & 0x0f))
}

/**
 * Writes KRPC messages into one buffer that is used again and again: no object is made for a packet. The caller writes
 * the keys of each dictionary in sorted order.
 */
export class KrpcWriter {
  private readonly buffer = new Uint8Array(8192)
  private at = 0

  /** @param isAnonymous whether messages do not say of which client they are; asked for each. Default: they do. */
  constructor(private readonly isAnonymous: () => boolean = () => false) {}

  /** Begins a new packet. */
  reset(): this {
    this.at = 0
    return this
  }

  /** Bytes written so far. */
  get length(): number {
    return this.at
  }

  /** What was written; a view, valid until the next `reset`. */
  get packet(): Uint8Array {
    return this.buffer.subarray(0, this.at)
  }

  /** Cuts off everything from `length` on. */
  truncate(length: number): void {
    this.at = length
  }

  openDict(): void {
    this.buffer[this.at++] = 0x64
  }

  openList(): void {
    this.buffer[this.at++] = 0x6c
  }

  byte(value: number): void {
    this.buffer[this.at++] = value
  }

  /** Ends a dictionary or a list. */
  close(): void {
    this.buffer[this.at++] = 0x65
  }

  /** A key, or a string that is ASCII text. */
  text(text: string): void {
    this.stringHeader(text.length)
    const { buffer } = this
    let at = this.at
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
    this.at = at
  }

  /** A string. Callers keep the sum of what they write below 8 KB. */
  bytes(bytes: Uint8Array): void {
    this.stringHeader(bytes.length)
    this.raw(bytes)
  }

  /** Our version, as the value of a key that nobody needs: in anonymous mode there is none. */
  get clientVersion(): Uint8Array | null {
    return this.isAnonymous() ? null : CLIENT_VERSION
  }

  /** `v` and our version, if it is told. */
  version(): void {
    const { clientVersion } = this
    if (clientVersion === null) return
    this.text('v')
    this.bytes(clientVersion)
  }

  integer(value: number | bigint): void {
    this.buffer[this.at++] = 0x69
    this.digits(String(value))
    this.buffer[this.at++] = 0x65
  }

  /** The header of a string whose `length` bytes follow by `raw`. */
  stringHeader(length: number): void {
    if (length < 10) this.buffer[this.at++] = 0x30 + length
    else this.digits(String(length))
    this.buffer[this.at++] = 0x3a
  }

  /** Bytes as they are: a value that is bencoded already, or parts of a string. */
  raw(bytes: Uint8Array): void {
    const { buffer } = this
    const { length } = bytes
    if (length > 32) {
      buffer.set(bytes, this.at)
    } else {
      const at = this.at
      for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]
    }
    this.at += length
  }

  private digits(text: string): void {
    for (let i = 0; i < text.length; i++) this.buffer[this.at++] = text.charCodeAt(i)
  }
}
