import { type LibtorrentError, libtorrentError, thrownError } from '../errors/libtorrentError.ts'
import { equalBytes, fromUtf8Strict, toHex, utf8 } from '../util/bytes.ts'
import { bdecode } from './bdecode.ts'
import type { BNode } from './bNode.ts'

/** Bytes that are bencoded already and are written as they are (libtorrent's `preformatted_t`). */
export class Preformatted {
  constructor(readonly bytes: Uint8Array) {}
}

/**
 * A value that can be bencoded: libtorrent's `entry`. Integers are safe numbers or 64-bit bigints, text is written as
 * UTF-8. A dictionary is a Map or a plain object; its keys are byte strings, each character code one byte, and a
 * member that is undefined is left out. `toEntry` gives bytes and Maps, so that nothing is lost.
 */
export type Entry =
  | number
  | bigint
  | string
  | Uint8Array
  | Preformatted
  | readonly Entry[]
  | ReadonlyMap<string, Entry>
  | EntryObject

/** A dictionary written as a plain object. */
export interface EntryObject {
  /** The value of a key whose characters are bytes; a key whose value is undefined is left out. */
  readonly [key: string]: Entry | undefined
}

/** libtorrent's `entry::data_type`. */
export type EntryType = 'int' | 'string' | 'list' | 'dictionary' | 'preformatted' | 'undefined'

/** What `entry` is bencoded as (manual, `entry::type`); `undefined` for no entry at all. */
export function entryType(entry: Entry | undefined): EntryType {
  if (entry === undefined) return 'undefined'
  if (typeof entry === 'number' || typeof entry === 'bigint') return 'int'
  if (typeof entry === 'string' || entry instanceof Uint8Array) return 'string'
  if (Array.isArray(entry)) return 'list'
  return entry instanceof Preformatted ? 'preformatted' : 'dictionary'
}

/**
 * The value of `key` in a dictionary, or undefined (manual, `entry::find_key`).
 * @throws LibtorrentError `invalidEntryType` when `entry` is no dictionary.
 */
export function findKey(entry: Entry, key: string): Entry | undefined {
  if (entry instanceof Map) return entry.get(key)
  if (entryType(entry) !== 'dictionary') throw thrownError('invalidEntryType')
  return Object.hasOwn(entry as EntryObject, key) ? (entry as EntryObject)[key] : undefined
}

/** The integer. @throws LibtorrentError `invalidEntryType` */
export function entryInteger(entry: Entry | undefined): number | bigint {
  if (typeof entry === 'number' || typeof entry === 'bigint') return entry
  throw thrownError('invalidEntryType')
}

/** The bytes of a string. @throws LibtorrentError `invalidEntryType` */
export function entryString(entry: Entry | undefined): Uint8Array {
  if (typeof entry === 'string') return utf8(entry)
  if (entry instanceof Uint8Array) return entry
  throw thrownError('invalidEntryType')
}

/** The items of a list. @throws LibtorrentError `invalidEntryType` */
export function entryList(entry: Entry | undefined): readonly Entry[] {
  if (Array.isArray(entry)) return entry
  throw thrownError('invalidEntryType')
}

/** The members of a dictionary, in their own order. @throws LibtorrentError `invalidEntryType` */
export function entryDict(entry: Entry | undefined): ReadonlyMap<string, Entry> {
  if (entry instanceof Map) return entry
  if (entryType(entry) !== 'dictionary') throw thrownError('invalidEntryType')
  const members = new Map<string, Entry>()
  for (const [key, value] of Object.entries(entry as EntryObject)) if (value !== undefined) members.set(key, value)
  return members
}

/**
 * A free-standing copy of a decoded value: strings as bytes, dicts as Maps, integers beyond 2^53 as bigints.
 * Of duplicate keys the first is kept. Recursion is bounded by the depth `bdecode` allowed.
 */
export function toEntry(node: BNode): Entry {
  switch (node.type) {
    case 'int':
      return node.asInt() ?? node.asBigInt()!
    case 'string':
      return node.asString()!.slice()
    case 'list':
      return Array.from(node, toEntry)
    case 'dict': {
      const members = new Map<string, Entry>()
      for (const [key, value] of node.entries()) if (!members.has(key)) members.set(key, toEntry(value))
      return members
    }
  }
}

/**
 * Decodes `bytes` into an `Entry` (manual, `bdecode()`).
 * @throws LibtorrentError with the decoder's code when they are not bencoded.
 */
export function bdecodeEntry(bytes: Uint8Array): Entry {
  const result = bdecode(bytes)
  if (!result.ok) throw bdecodeError(result.code, result.offset)
  return toEntry(result.root)
}

/** An error that names the place the decoder stopped at. */
export function bdecodeError(code: Parameters<typeof libtorrentError>[0], offset: number): LibtorrentError {
  const plain = libtorrentError(code)
  return libtorrentError(code, { message: `${plain.message} (at byte ${offset})` })
}

/** Whether both would be bencoded to the same bytes, preformatted parts compared as bytes. */
export function entriesEqual(a: Entry, b: Entry): boolean {
  const type = entryType(a)
  if (type !== entryType(b)) return false
  switch (type) {
    case 'int':
      return BigInt(a as number) === BigInt(b as number)
    case 'string':
      return equalBytes(entryString(a), entryString(b))
    case 'list': {
      const left = entryList(a)
      const right = entryList(b)
      return left.length === right.length && left.every((item, i) => entriesEqual(item, right[i]))
    }
    case 'dictionary': {
      const left = entryDict(a)
      const right = entryDict(b)
      if (left.size !== right.size) return false
      for (const [key, value] of left) {
        const other = right.get(key)
        if (other === undefined || !entriesEqual(value, other)) return false
      }
      return true
    }
    default:
      return equalBytes((a as Preformatted).bytes, (b as Preformatted).bytes)
  }
}

/**
 * `entry` as indented text for people, dictionaries sorted by key (manual, `entry::print()`). Strings that are not
 * printable text are shown in hexadecimal.
 */
export function printEntry(entry: Entry | undefined, indent = 0): string {
  const pad = '  '.repeat(indent)
  switch (entryType(entry)) {
    case 'int':
      return `${pad}${entry}\n`
    case 'string':
      return `${pad}${printable(entryString(entry))}\n`
    case 'list':
      return `${pad}list\n${entryList(entry)
        .map((item) => printEntry(item, indent + 1))
        .join('')}`
    case 'dictionary':
      return `${pad}dictionary\n${[...entryDict(entry)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${pad}  [${printable(Buffer.from(key, 'latin1'))}]${printMember(value, indent + 1)}`)
        .join('')}`
    case 'preformatted':
      return `${pad}<preformatted>\n`
    default:
      return `${pad}<uninitialized>\n`
  }
}

function printMember(value: Entry, indent: number): string {
  const type = entryType(value)
  return type === 'list' || type === 'dictionary'
    ? `\n${printEntry(value, indent + 1)}`
    : ` ${printEntry(value).trimStart()}`
}

function printable(bytes: Uint8Array): string {
  const text = fromUtf8Strict(bytes)
  return text !== null && !/[\p{Cc}\p{Cf}]/u.test(text) ? text : toHex(bytes)
}
