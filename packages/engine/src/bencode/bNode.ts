import { fromUtf8 } from '../util/bytes.ts'

/** What a bencoded value is. */
export type BNodeType = 'dict' | 'list' | 'int' | 'string'

/** Kinds of token in the table; they share a word with the token's span. */
export const DICT = 1
export const LIST = 2
export const STRING = 3
export const INT = 4
export const END = 5

/** Bits of the second word of a token that hold its kind. */
export const KIND_BITS = 3
const KIND_MASK = (1 << KIND_BITS) - 1

const TYPE_NAMES: readonly BNodeType[] = ['int', 'dict', 'list', 'string', 'int']

/**
 * A decoded buffer: its bytes and a flat table of its tokens, two words each.
 * First word: offset of the token's first byte. Second word: kind, and above it, for a dict or list the number of
 * tokens up to its next sibling, for a string the length of its `<digits>:` header. An END token closes each dict and
 * list, and one more ends the table, so that the bytes of a token always end where the next sibling begins.
 */
export interface TokenTable {
  readonly buffer: Uint8Array
  /** The same bytes, for the fast way to text. */
  readonly text: Buffer
  readonly words: Uint32Array
}

/**
 * One value of a bencoded buffer: libtorrent's `bdecode_node`. A light cursor: it holds no copy, only its place in the
 * token table, and keeps the whole buffer alive. Every accessor answers null when the value has another type, so that
 * hostile input needs no checks before.
 *
 * Keys are byte strings, each character code one byte (`latin1`). Of duplicate keys the first wins, as in libtorrent.
 */
export class BNode {
  private count = -1
  private lastIndex = 0
  private lastToken = 0

  /** Made by `bdecode`; `token` is an index into the table. */
  constructor(
    private readonly table: TokenTable,
    private readonly token: number,
  ) {}

  /** What the value is. */
  get type(): BNodeType {
    return TYPE_NAMES[this.kind(this.token)]
  }

  /** Offset of the value's first byte in the decoded buffer. */
  get start(): number {
    return this.table.words[this.token * 2]
  }

  /** Offset just past the value's last byte. */
  get end(): number {
    return this.table.words[this.next(this.token) * 2]
  }

  /** The value as it was found, brackets and length prefix included: what an info-hash is the hash of. A view. */
  get bytes(): Uint8Array {
    return this.table.buffer.subarray(this.start, this.end)
  }

  /** Number of bytes of a string, of items of a list, of pairs of a dict; 0 for an integer. */
  get size(): number {
    const kind = this.kind(this.token)
    if (kind === STRING) return this.end - this.valueStart()
    if (kind === INT) return 0
    if (this.count < 0) {
      let count = 0
      for (let at = this.token + 1; this.kind(at) !== END; at = this.next(at)) count++
      this.count = kind === DICT ? count / 2 : count
    }
    return this.count
  }

  /** The integer, or null when it is not one or lies beyond +-(2^53 - 1); see `asBigInt`. */
  asInt(): number | null {
    if (this.kind(this.token) !== INT) return null
    const { buffer } = this.table
    const negative = buffer[this.start + 1] === 0x2d
    let value = 0
    for (let at = this.start + (negative ? 2 : 1), end = this.end - 1; at < end; at++) {
      value = value * 10 + (buffer[at] - 0x30)
    }
    // 19 digits summed as a double may be rounded, but never from beyond the safe range back into it
    if (value > Number.MAX_SAFE_INTEGER) return null
    return negative ? -value : value
  }

  /** The integer, exact over the whole signed 64-bit range. */
  asBigInt(): bigint | null {
    if (this.kind(this.token) !== INT) return null
    return BigInt(this.table.text.toString('latin1', this.start + 1, this.end - 1))
  }

  /** The bytes of a string; a view. */
  asString(): Uint8Array | null {
    if (this.kind(this.token) !== STRING) return null
    return this.table.buffer.subarray(this.valueStart(), this.end)
  }

  /** A string as UTF-8 text; invalid sequences become U+FFFD. */
  asText(): string | null {
    const bytes = this.asString()
    return bytes === null ? null : fromUtf8(bytes)
  }

  /** A string as text whose character codes are its bytes: lossless, and the form keys have. */
  asLatin1(): string | null {
    if (this.kind(this.token) !== STRING) return null
    return this.table.text.toString('latin1', this.valueStart(), this.end)
  }

  /** Where the bytes of a string begin in the decoded buffer; for other types the same as `start`. */
  get stringOffset(): number {
    return this.kind(this.token) === STRING ? this.valueStart() : this.start
  }

  /** The value of `key`; null when this is not a dict or has no such key. Linear in the number of pairs. */
  get(key: string): BNode | null {
    if (this.kind(this.token) !== DICT) return null
    let at = this.token + 1
    while (this.kind(at) !== END) {
      const value = at + 1
      if (this.isKey(at, key)) return new BNode(this.table, value)
      at = this.next(value)
    }
    return null
  }

  /**
   * Puts the value of each of `keys` at its place in `values`, null for one that is missing. One pass over the pairs,
   * for reading many dicts of the same shape.
   */
  getAll(keys: readonly string[], values: (BNode | null)[]): void {
    for (let i = 0; i < keys.length; i++) values[i] = null
    if (this.kind(this.token) !== DICT) return
    for (let at = this.token + 1; this.kind(at) !== END; at = this.next(at + 1)) {
      for (let i = 0; i < keys.length; i++) {
        if (!this.isKey(at, keys[i])) continue
        values[i] ??= new BNode(this.table, at + 1)
        break
      }
    }
  }

  getInt(key: string): number | null {
    return this.get(key)?.asInt() ?? null
  }

  getBigInt(key: string): bigint | null {
    return this.get(key)?.asBigInt() ?? null
  }

  getString(key: string): Uint8Array | null {
    return this.get(key)?.asString() ?? null
  }

  getText(key: string): string | null {
    return this.get(key)?.asText() ?? null
  }

  getList(key: string): BNode | null {
    const node = this.get(key)
    return node !== null && node.kind(node.token) === LIST ? node : null
  }

  getDict(key: string): BNode | null {
    const node = this.get(key)
    return node !== null && node.kind(node.token) === DICT ? node : null
  }

  /** Item `index` of a list, from 0; null when there is none. Ascending access costs constant time each. */
  at(index: number): BNode | null {
    if (this.kind(this.token) !== LIST || index < 0) return null
    if (this.lastToken === 0 || index < this.lastIndex) {
      this.lastIndex = 0
      this.lastToken = this.token + 1
    }
    while (this.kind(this.lastToken) !== END) {
      if (this.lastIndex === index) return new BNode(this.table, this.lastToken)
      this.lastToken = this.next(this.lastToken)
      this.lastIndex++
    }
    this.lastToken = 0
    return null
  }

  /** The items of a list; nothing for other types. */
  *[Symbol.iterator](): Generator<BNode, void, undefined> {
    if (this.kind(this.token) !== LIST) return
    for (let at = this.token + 1; this.kind(at) !== END; at = this.next(at)) yield new BNode(this.table, at)
  }

  /** The pairs of a dict as they stand in the buffer, duplicates included; nothing for other types. */
  *entries(): Generator<[key: string, value: BNode], void, undefined> {
    for (const key of this.keyNodes()) {
      yield [key.asLatin1()!, new BNode(this.table, key.token + 1)]
    }
  }

  /** The keys of a dict as string nodes, in the order of the buffer. */
  *keyNodes(): Generator<BNode, void, undefined> {
    if (this.kind(this.token) !== DICT) return
    for (let at = this.token + 1; this.kind(at) !== END; at = this.next(at + 1)) yield new BNode(this.table, at)
  }

  /** Kind of the token at `index`. */
  private kind(index: number): number {
    return this.table.words[index * 2 + 1] & KIND_MASK
  }

  /** Index of the token after the value at `index`. */
  private next(index: number): number {
    const word = this.table.words[index * 2 + 1]
    const kind = word & KIND_MASK
    return kind === DICT || kind === LIST ? index + (word >>> KIND_BITS) : index + 1
  }

  private valueStart(): number {
    return this.start + (this.table.words[this.token * 2 + 1] >>> KIND_BITS)
  }

  private isKey(token: number, key: string): boolean {
    const { words, buffer } = this.table
    const from = words[token * 2] + (words[token * 2 + 1] >>> KIND_BITS)
    if (words[token * 2 + 2] - from !== key.length) return false
    for (let i = 0; i < key.length; i++) if (buffer[from + i] !== key.charCodeAt(i)) return false
    return true
  }
}
