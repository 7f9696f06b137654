/** How the end of a body is told (RFC 9112 section 6.3). */
export type BodyFraming =
  | { readonly kind: 'none' }
  /** Bytes. */
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'untilClose' }

export interface ResponseHead {
  /** 100 to 999. */
  readonly status: number
  /** Lower-case names; of one that came several times the values, with `, ` between them. */
  readonly headers: Readonly<Record<string, string>>
  readonly framing: BodyFraming
  /** The connection may carry another exchange when the body is over. */
  readonly keepsConnection: boolean
}

const STATUS_LINE = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
/** No blank before the colon and no line that continues another: both have been used to hide headers from some readers. */
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
const LENGTH = /^\d{1,15}$/

/** Two of them that differ mean two different answers. */
const SAID_ONCE = new Set(['content-length', 'content-range', 'location', 'transfer-encoding'])

/** The head of an answer, from its lines without their ends, to a GET; null when it is not one. */
export function parseResponseHead(lines: readonly string[]): ResponseHead | null {
  const start = STATUS_LINE.exec(lines[0] ?? '')
  const headers = parseHeaders(lines.slice(1))
  if (start === null || headers === null) return null
  const status = Number(start[2])
  const isOld = start[1] === '0'
  const framing = bodyFraming(status, headers, isOld)
  if (framing === null) return null
  const wishes = (headers.connection ?? '').toLowerCase().split(/[\t ]*,[\t ]*/)
  const isKept = !wishes.includes('close') && (!isOld || wishes.includes('keep-alive'))
  return { status, headers, framing, keepsConnection: isKept && framing.kind !== 'untilClose' }
}

function parseHeaders(lines: readonly string[]): Record<string, string> | null {
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const match = HEADER_LINE.exec(line)
    if (match === null) return null
    const [name, value] = [match[1].toLowerCase(), match[2]]
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (!SAID_ONCE.has(name)) headers[name] = `${before}, ${value}`
    else if (before !== value) return null
  }
  return headers
}

/** Null when head and body contradict each other, so that nobody could tell where the next answer begins. */
function bodyFraming(status: number, headers: Readonly<Record<string, string>>, isOld: boolean): BodyFraming | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  if (length !== undefined && !LENGTH.test(length)) return null
  // RFC 9112 section 6.1: both together, or an encoding in HTTP/1.0, ought to be handled as an error.
  if (encoding !== undefined && (length !== undefined || isOld || encoding.toLowerCase() !== 'chunked')) return null
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (encoding !== undefined) return { kind: 'chunked' }
  return length === undefined ? { kind: 'untilClose' } : { kind: 'length', length: Number(length) }
}
