import { latin1 } from '../util/bytes.ts'
import { IpFilter } from './ipFilter.ts'
import type { ListCounts } from './ipFilterList.ts'
import { isLineEnd, ListLine } from './listLine.ts'

/** No list has a line as long; looking for the end of a name in one costs time. */
const MAX_LINE_LENGTH = 16 * 1024
const MAX_SHOWN_LENGTH = 80
const LF = 0x0a
const CR = 0x0d

/** Reads a list of lines, see `ListLine`, into `filter`. Lines that say nothing sensible are counted and left out. */
export function readTextList(bytes: Uint8Array, filter: IpFilter, counts: ListCounts): void {
  const line = new ListLine()
  let number = 0
  for (let begin = hasByteOrderMark(bytes) ? 3 : 0; begin < bytes.length && !counts.isFull; ) {
    let end = begin
    while (end < bytes.length && !isLineEnd(bytes[end])) end++
    number++
    const meaning = end - begin > MAX_LINE_LENGTH ? 'bad' : line.read(bytes, begin, end)
    if (meaning === 'range') {
      counts.numRanges++
      if (line.family === 4) filter.addV4Rule(line.first[0], line.last[0], IpFilter.blocked)
      else filter.addV6Rule(line.first, line.last, IpFilter.blocked)
    } else if (meaning === 'allowed') {
      counts.numAllowed++
    } else if (meaning === 'bad') {
      const shown = bytes.subarray(begin, Math.min(end, begin + MAX_SHOWN_LENGTH))
      counts.bad(number, () => latin1(shown))
    }
    begin = end + (bytes[end] === CR && bytes[end + 1] === LF ? 2 : 1)
  }
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}
