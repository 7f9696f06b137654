import { parseResponseHead, type ResponseHead } from './responseHead.ts'

/** All header lines of an answer together, with those of answers that came before it (1xx) and behind its body. */
const MAX_HEAD_BYTES = 16 * 1024
/** The line before a chunk: a number and what may be said about it, which nobody does. */
const MAX_CHUNK_LINE_BYTES = 1024
/** Up to 2^52 bytes. */
const CHUNK_LINE = /^([0-9a-fA-F]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const LF = 10

export interface ResponseHandler {
  /** Once, before the body. Never of an answer that only announces another (1xx). */
  onHead(head: ResponseHead): void
  /** The next bytes of the body, a view of what is read; gives how many of them were taken. */
  onBody(bytes: Uint8Array): number
}

export type ResponseReaderState =
  | 'head'
  | 'body'
  | 'chunkLine'
  | 'chunk'
  | 'chunkEnd'
  | 'trailers'
  /** Whatever follows is not of this answer. */
  | 'complete'
  /** No HTTP/1.x, or something that could be read in more than one way: the connection is of no use. */
  | 'malformed'

/**
 * Reads one answer to a GET as its bytes arrive (RFC 9112). Strict: what is read differently by different programs is
 * malformed. Lines end with CR LF; bodies are not touched.
 */
export class ResponseReader {
  state: ResponseReaderState = 'head'
  /** Set once it is complete. */
  head: ResponseHead | null = null
  private line = ''
  private lines: string[] = []
  /** Bytes that lines may still have. */
  private room = MAX_HEAD_BYTES
  private chunkLineRoom = 0
  /** Bytes of the body or chunk that are to come. */
  private left = 0

  constructor(private readonly handler: ResponseHandler) {}

  /** Gives how many bytes are done with: fewer than all when the handler did not take all, or the answer is over. */
  read(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && this.state !== 'complete' && this.state !== 'malformed') {
      if (this.state !== 'body' && this.state !== 'chunk') {
        at += this.readLine(bytes, at)
        continue
      }
      const length = Math.min(bytes.length - at, this.left)
      const taken = this.handler.onBody(length === bytes.length ? bytes : bytes.subarray(at, at + length))
      at += taken
      this.left -= taken
      if (this.left === 0) this.state = this.state === 'body' ? 'complete' : 'chunkEnd'
      if (taken < length) break
    }
    return at
  }

  /** The connection ends here. Whether that is the end of the answer as well. */
  end(): boolean {
    if (this.state === 'body' && this.head?.framing.kind === 'untilClose') this.state = 'complete'
    return this.state === 'complete'
  }

  private readLine(bytes: Uint8Array, at: number): number {
    const lf = bytes.indexOf(LF, at)
    const length = (lf === -1 ? bytes.length : lf + 1) - at
    const isOfChunk = this.state === 'chunkLine' || this.state === 'chunkEnd'
    const room = isOfChunk ? (this.chunkLineRoom -= length) : (this.room -= length)
    if (room < 0) {
      this.state = 'malformed'
      return 0
    }
    this.line += Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1')
    if (lf === -1) return length
    const { line } = this
    this.line = ''
    if (line.endsWith('\r\n')) this.onLine(line.slice(0, -2))
    else this.state = 'malformed'
    return length
  }

  private onLine(line: string): void {
    switch (this.state) {
      case 'head':
        if (line !== '') this.lines.push(line)
        else this.onHeadEnd()
        return
      case 'chunkLine':
        return this.onChunkLine(line)
      case 'chunkEnd':
        if (line === '') this.expectChunk()
        else this.state = 'malformed'
        return
      default:
        // Trailers mean nothing to us.
        if (line === '') this.state = 'complete'
    }
  }

  private onHeadEnd(): void {
    const head = parseResponseHead(this.lines)
    this.lines = []
    // Nobody asked for another protocol.
    if (head === null || head.status === 101) this.state = 'malformed'
    else if (head.status >= 200) this.onHead(head)
  }

  private onHead(head: ResponseHead): void {
    const { framing } = head
    this.head = head
    if (framing.kind === 'chunked') this.expectChunk()
    else {
      this.left = framing.kind === 'length' ? framing.length : framing.kind === 'none' ? 0 : Number.POSITIVE_INFINITY
      this.state = this.left === 0 ? 'complete' : 'body'
    }
    this.handler.onHead(head)
  }

  private expectChunk(): void {
    this.state = 'chunkLine'
    this.chunkLineRoom = MAX_CHUNK_LINE_BYTES
  }

  private onChunkLine(line: string): void {
    const match = CHUNK_LINE.exec(line)
    if (match === null) {
      this.state = 'malformed'
      return
    }
    this.left = Number.parseInt(match[1], 16)
    this.state = this.left === 0 ? 'trailers' : 'chunk'
  }
}
