import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { compareBytes } from '../util/bytes.ts'
import { BNode, DICT, END, INT, KIND_BITS, LIST, STRING } from './bNode.ts'

/** What `bdecode` accepts. The defaults are libtorrent's `load_torrent_limits`. */
export interface BdecodeLimits {
  /** Lists and dicts inside each other; default 100. Deeper input gives `depthExceeded`. */
  readonly depth?: number
  /** Values, keys and closing brackets together; default 3,000,000. More gives `limitExceeded`. */
  readonly tokens?: number
  /** Bytes of input; default 2^30. A longer buffer gives `limitExceeded` without being read. */
  readonly size?: number
  /** Refuse bytes after the value (`invalidBencoding`); default false: libtorrent ignores them in a .torrent. */
  readonly whole?: boolean
  /** Refuse unsorted and duplicate keys (`invalidBencoding`); default false. See `softErrorOf`. */
  readonly strict?: boolean
}

/** What a buffer decodes to: the root, whose `end` tells how many bytes it took, or what is wrong and where. */
export type BdecodeResult =
  | { readonly ok: true; readonly root: BNode }
  | { readonly ok: false; readonly code: LibtorrentErrorCode; readonly offset: number }

const DEFAULT_DEPTH = 100
const DEFAULT_TOKENS = 3_000_000
const DEFAULT_SIZE = 2 ** 30

/** Words a table may keep between calls; a larger one goes with the result instead. */
const SCRATCH_WORDS = 16_384
let scratch = new Uint32Array(SCRATCH_WORDS)

/** Largest and smallest 64-bit integers, as digits. */
const MAX_DIGITS = '9223372036854775807'
const MIN_DIGITS = '9223372036854775808'

/**
 * Decodes one bencoded value (BEP 3) at the start of `bytes`, which must not change afterwards. Never throws and never
 * recurses; time and memory are linear in the input. Stricter than libtorrent in one respect: integers and string
 * lengths with leading zeros, `-0`, and integers beyond 64 bits are errors, not oddities.
 *
 * Error codes: `unexpectedEof`, `expectedValue` (also a malformed integer), `expectedString` (a key that is none),
 * `expectedColon`, `depthExceeded`, `limitExceeded`, `overflow`, and `invalidBencoding` with `whole` or `strict`.
 */
export function bdecode(bytes: Uint8Array, limits: BdecodeLimits = {}): BdecodeResult {
  // a plain view even of a Buffer, whose slice() shares memory where a Uint8Array's copies
  const buffer = Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes
  const maxDepth = limits.depth ?? DEFAULT_DEPTH
  const maxTokens = limits.tokens ?? DEFAULT_TOKENS
  if (buffer.length > (limits.size ?? DEFAULT_SIZE)) return fail('limitExceeded', 0)

  const size = buffer.length
  /** Tokens of the lists and dicts that are open; one that is a dict is stored negative, as `~token`. */
  const open: number[] = []
  let words = scratch
  let count = 0
  let at = 0
  let inDict = false
  let wantsKey = false

  for (;;) {
    if (at >= size) return fail('unexpectedEof', at)
    if (count >= maxTokens) return fail('limitExceeded', at)
    // this token and the one that ends the table
    if (count * 2 + 4 > words.length) words = grow(words)

    const byte = buffer[at]
    words[count * 2] = at
    if (byte >= 0x30 && byte <= 0x39) {
      let length = byte - 0x30
      let colon = at + 1
      if (length !== 0) {
        for (; colon < size; colon++) {
          const digit = buffer[colon] - 0x30
          if (digit < 0 || digit > 9) break
          length = length * 10 + digit
          if (length > size) return fail('unexpectedEof', at)
        }
      }
      if (colon >= size) return fail('unexpectedEof', colon)
      if (buffer[colon] !== 0x3a) return fail('expectedColon', colon)
      if (length > size - colon - 1) return fail('unexpectedEof', at)
      words[count * 2 + 1] = ((colon + 1 - at) << KIND_BITS) | STRING
      count++
      at = colon + 1 + length
      if (wantsKey) {
        wantsKey = false
        continue
      }
    } else if (byte === 0x65 /* e */) {
      if (open.length === 0) return fail('expectedValue', at)
      if (inDict && !wantsKey) return fail('expectedValue', at)
      words[count * 2 + 1] = (1 << KIND_BITS) | END
      count++
      at++
      const closed = open.pop()!
      const token = closed < 0 ? ~closed : closed
      words[token * 2 + 1] |= (count - token) << KIND_BITS
      inDict = open.length > 0 && open[open.length - 1] < 0
    } else if (wantsKey) {
      return fail('expectedString', at)
    } else if (byte === 0x69 /* i */) {
      const end = endOfInteger(buffer, at + 1)
      if (typeof end === 'string') return fail(end, at)
      words[count * 2 + 1] = (1 << KIND_BITS) | INT
      count++
      at = end
    } else if (byte === 0x64 /* d */ || byte === 0x6c /* l */) {
      if (open.length >= maxDepth) return fail('depthExceeded', at)
      inDict = byte === 0x64
      wantsKey = inDict
      words[count * 2 + 1] = inDict ? DICT : LIST
      open.push(inDict ? ~count : count)
      count++
      at++
      continue
    } else {
      return fail('expectedValue', at)
    }

    if (open.length === 0) break
    wantsKey = inDict
  }

  words[count * 2] = at
  words[count * 2 + 1] = END
  const text = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length)
  const table = { buffer, text, words: keep(words, (count + 1) * 2) }
  const root = new BNode(table, 0)
  if (limits.whole === true && at !== size) return fail('invalidBencoding', at)
  if (limits.strict === true) {
    const soft = softErrorOf(root)
    if (soft !== null) return fail('invalidBencoding', soft.offset)
  }
  return { ok: true, root }
}

/** A fault that `bdecode` lets pass unless `strict`: libtorrent's soft errors. */
export interface SoftError {
  readonly kind: 'unsortedKey' | 'duplicateKey'
  /** Where the offending key begins. */
  readonly offset: number
}

/** The first dict key below `root` that is out of order or repeated, or null. */
export function softErrorOf(root: BNode): SoftError | null {
  const pending = [root]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === 'list') {
      for (const item of node) if (item.type === 'dict' || item.type === 'list') pending.push(item)
    } else if (node.type === 'dict') {
      let previous: Uint8Array | null = null
      for (const key of node.keyNodes()) {
        const bytes = key.asString()!
        const order = previous === null ? -1 : compareBytes(previous, bytes)
        if (order >= 0) return { kind: order === 0 ? 'duplicateKey' : 'unsortedKey', offset: key.start }
        previous = bytes
      }
      for (const [, value] of node.entries()) if (value.type === 'dict' || value.type === 'list') pending.push(value)
    }
  }
  return null
}

/** Offset past the `e` of the integer whose digits begin at `at`, or what is wrong with it. */
function endOfInteger(buffer: Uint8Array, at: number): number | LibtorrentErrorCode {
  const negative = buffer[at] === 0x2d
  const first = negative ? at + 1 : at
  let end = first
  while (end < buffer.length && buffer[end] >= 0x30 && buffer[end] <= 0x39) {
    end++
    if (end - first > MAX_DIGITS.length) return 'overflow'
  }
  if (end >= buffer.length) return 'unexpectedEof'
  if (end === first || buffer[end] !== 0x65) return 'expectedValue'
  if (buffer[first] === 0x30 && (negative || end - first > 1)) return 'expectedValue'
  if (end - first === MAX_DIGITS.length) {
    const limit = negative ? MIN_DIGITS : MAX_DIGITS
    for (let i = 0; i < limit.length; i++) {
      const difference = buffer[first + i] - limit.charCodeAt(i)
      if (difference > 0) return 'overflow'
      if (difference < 0) break
    }
  }
  return end + 1
}

function grow(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(words.length * 2)
  larger.set(words)
  if (larger.length <= SCRATCH_WORDS * 4) scratch = larger
  return larger
}

/** The table to keep: a copy of exact size while it is the shared scratch, else the grown table itself. */
function keep(words: Uint32Array, length: number): Uint32Array {
  return words === scratch ? words.slice(0, length) : words.subarray(0, length)
}

function fail(code: LibtorrentErrorCode, offset: number): BdecodeResult {
  return { ok: false, code, offset }
}
