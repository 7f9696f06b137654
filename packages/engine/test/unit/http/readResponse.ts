import type { ResponseHead } from '../../../src/http/responseHead.ts'
import { ResponseReader, type ResponseReaderState } from '../../../src/http/responseReader.ts'

export interface ReadResponse {
  readonly head: ResponseHead | null
  readonly body: string
  readonly state: ResponseReaderState
  /** Bytes that are not of the answer, or that come after what made it malformed. */
  readonly unread: number
}

/**
 * Reads an answer, given as Latin-1, in the pieces it is cut into; `take` says how much of each part of the body is taken
 * at once, the rest is offered again.
 */
export function readResponse(
  parts: readonly string[],
  take: (length: number) => number = (length) => length,
): ReadResponse {
  let head: ResponseHead | null = null
  let body = ''
  const reader = new ResponseReader({
    onHead: (each) => {
      if (head !== null) throw new Error('a second head')
      head = each
    },
    onBody: (bytes) => {
      const taken = take(bytes.length)
      body += Buffer.from(bytes.subarray(0, taken)).toString('latin1')
      return taken
    },
  })
  let left = Buffer.alloc(0)
  for (const part of parts) {
    left = Buffer.concat([left, Buffer.from(part, 'latin1')])
    for (let before = -1; left.length > 0 && before !== left.length; ) {
      before = left.length
      left = left.subarray(reader.read(left))
      if (reader.state === 'body' || reader.state === 'chunk') before = -1
    }
  }
  return { head, body, state: reader.state, unread: left.length }
}
