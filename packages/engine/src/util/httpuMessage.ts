import { latin1 } from './bytes.ts'

/** Header lines read from one packet; the rest is left alone. */
const MAX_HEADERS = 64

/** A packet in the form of an HTTP message, as SSDP and BEP 14 send them. */
export interface HttpuMessage {
  /** Request or status line. */
  readonly startLine: string
  /** In order; names in lower case, values without surrounding blanks. A name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/**
 * Takes a packet apart. Lines may end with a bare LF, the empty line at the end may be missing, and lines that are no
 * header are skipped, as devices send all of these. Null when it is empty, longer than `maxBytes`, or its first line
 * does not speak HTTP.
 */
export function parseHttpuMessage(packet: Uint8Array, maxBytes: number): HttpuMessage | null {
  if (packet.length === 0 || packet.length > maxBytes) return null
  const lines = latin1(packet).split('\n', MAX_HEADERS + 1)
  const startLine = lines[0].trim()
  if (!/\bHTTP\/1\.[01]\b/i.test(startLine)) return null
  const headers: [string, string][] = []
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i].trim()
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon > 0) headers.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()])
  }
  return { startLine, headers }
}

/** The first value under `name`, or null. */
export function headerOf(message: HttpuMessage, name: string): string | null {
  return message.headers.find(([each]) => each === name)?.[1] ?? null
}
