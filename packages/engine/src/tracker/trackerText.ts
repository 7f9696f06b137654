import { fromUtf8 } from '../util/bytes.ts'

const MAX_LENGTH = 500

/** Control characters (C0, C1), line separators, and what turns the direction of the text that follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g

/** A tracker's words, fit to be shown on one line of a terminal: bounded, and without characters that steer it. */
export function trackerText(bytes: Uint8Array): string {
  return fromUtf8(bytes.subarray(0, MAX_LENGTH * 4))
    .replace(UNSAFE, ' ')
    .slice(0, MAX_LENGTH)
}
