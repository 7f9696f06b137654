import { fromLatin1, latin1 } from '../util/bytes.ts'

/** A line of the SAM protocol, taken apart: `STREAM STATUS RESULT=OK MESSAGE="all is well"`. */
export interface SamMessage {
  /** The two words it begins with, such as `STREAM STATUS`. */
  readonly name: string
  /** What follows, by its name in upper case; the first of those that have the same name. */
  readonly values: ReadonlyMap<string, string>
}

/**
 * Longest line, without its end. Private keys with the largest signatures there are take up half of it.
 */
export const MAX_SAM_LINE_BYTES = 8192
/** Values a line may have; those of the protocol have five at most. */
const MAX_VALUES = 32
const LF = 10

const WORDS = /^([A-Z]+) ([A-Z]+)(?: |$)/
/** A name, and perhaps a value: plain, or in quotes, in which a backslash stands before a quote or a backslash. */
const VALUE = / *([A-Za-z0-9_.]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^ "]*)))?(?: |$)/y

/** Reads a line without its end; null when it is none of SAM. */
export function parseSamMessage(line: string): SamMessage | null {
  const words = WORDS.exec(line)
  if (words === null) return null
  const values = new Map<string, string>()
  const text = line.trimEnd()
  VALUE.lastIndex = words[0].length
  while (VALUE.lastIndex < text.length) {
    const match = VALUE.exec(text)
    if (match === null || values.size === MAX_VALUES) return null
    const [, name, quoted, plain = ''] = match
    const key = name.toUpperCase()
    if (!values.has(key)) values.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'))
  }
  return { name: `${words[1]} ${words[2]}`, values }
}

/**
 * A line to be sent. Values are ours or were checked.
 * @throws RangeError for one that would be more than one value, or line.
 */
export function samLine(name: string, values: Readonly<Record<string, string | number>>): Uint8Array {
  let line = name
  for (const [key, value] of Object.entries(values)) {
    const text = String(value)
    if (!/^[\x21\x23-\x7e]+$/.test(text))
      throw new RangeError(`no value of a SAM line: ${JSON.stringify(text.slice(0, 80))}`)
    line += ` ${key}=${text}`
  }
  return fromLatin1(`${line}\n`)
}

/** Gathers lines from what arrives in pieces. Keeps one line at most, `MAX_SAM_LINE_BYTES` long. */
export class SamLines {
  private begun = ''

  /** The next line without its end, and what came behind it; null: more has to come; `tooLong`: it is no line. */
  read(bytes: Uint8Array): { readonly line: string; readonly rest: Uint8Array } | 'tooLong' | null {
    const end = bytes.indexOf(LF)
    const length = end === -1 ? bytes.length : end
    if (this.begun.length + length > MAX_SAM_LINE_BYTES) {
      this.begun = ''
      return 'tooLong'
    }
    this.begun += latin1(bytes.subarray(0, length))
    if (end === -1) return null
    const line = this.begun.endsWith('\r') ? this.begun.slice(0, -1) : this.begun
    this.begun = ''
    return { line, rest: bytes.subarray(end + 1) }
  }
}
