import { addressToBytes } from '../address/addressBytes.ts'
import { latin1 } from '../util/bytes.ts'
import { type AnnounceEvent, type AnnounceQuery, INFO_HASH_SIZE } from './announceQuery.ts'
import { MAX_SCRAPE } from './trackerServerOptions.ts'

/** What is wrong with an announce, in the words its sender gets. */
export type QueryFault =
  | 'info_hash is missing or not 20 bytes long'
  | 'peer_id is missing or not 20 bytes long'
  | 'port is missing or not a port'

/** How the peers of an answer are to be written (BEP 23). */
export interface AnswerForm {
  readonly compact: boolean
  readonly noPeerId: boolean
}

/** Parameters of a request; none has more than a handful that matter, and a URL is short. */
const MAX_PARAMETERS = 64

/** The longest address in words. */
const MAX_ADDRESS_TEXT = 64

const EVENTS: readonly string[] = ['started', 'completed', 'stopped']

/**
 * Reads the query of an HTTP announce (BEP 3, 7, 23) into `query`, whose source is left alone. Of a parameter that comes
 * more than once the first counts. Numbers that make no sense are as if they were not there.
 */
export function readAnnounceQuery(text: string, query: AnnounceQuery): AnswerForm | QueryFault {
  const parameters = new Map<string, string>()
  for (const [name, value] of pairsOf(text)) if (!parameters.has(name)) parameters.set(name, value)
  const raw = (name: string) => parameters.get(name) ?? ''
  if (!decodeExactly(raw('info_hash'), query.infoHash)) {
    return 'info_hash is missing or not 20 bytes long'
  }
  if (!decodeExactly(raw('peer_id'), query.peerId)) return 'peer_id is missing or not 20 bytes long'
  const port = integer(raw('port'))
  if (port === null || port < 0 || port > 65_535) return 'port is missing or not a port'
  query.port = port
  const event = raw('event')
  query.event = EVENTS.includes(event) ? (event as AnnounceEvent) : 'none'
  query.isSeed = /^0+$/.test(raw('left')) || event === 'completed'
  query.numWant = integer(raw('numwant')) ?? -1
  query.key = /^[0-9A-Fa-f]{1,8}$/.test(raw('key')) ? Number.parseInt(raw('key'), 16) : 0
  query.claimed.set(claimedAddress(raw('ip')))
  return { compact: raw('compact') !== '0', noPeerId: raw('no_peer_id') === '1' }
}

/** The info-hashes of a scrape (BEP 48): the first that a scrape may ask about; those that are none are left out. */
export function readScrapeQuery(text: string): Uint8Array[] {
  const hashes: Uint8Array[] = []
  for (const [name, value] of pairsOf(text, MAX_SCRAPE * 2)) {
    if (hashes.length === MAX_SCRAPE) break
    const hash = new Uint8Array(INFO_HASH_SIZE)
    if (name === 'info_hash' && decodeExactly(value, hash)) hashes.push(hash)
  }
  return hashes
}

function* pairsOf(text: string, limit = MAX_PARAMETERS): Generator<readonly [name: string, value: string]> {
  for (let at = 0, count = 0; at < text.length && count < limit; count++) {
    let end = text.indexOf('&', at)
    if (end === -1) end = text.length
    const equals = text.indexOf('=', at)
    if (equals !== -1 && equals < end) yield [text.slice(at, equals), text.slice(equals + 1, end)]
    at = end + 1
  }
}

/** Whether `text` says as many bytes as `out` has; they are then in it. */
function decodeExactly(text: string, out: Uint8Array): boolean {
  return percentDecode(text, out) === out.length
}

/**
 * Undoes percent-encoding, with `+` for a space, into `out`. Length, or -1 for broken escapes, characters that are no
 * bytes, and more than fits.
 */
function percentDecode(text: string, out: Uint8Array): number {
  let length = 0
  for (let at = 0; at < text.length; at++, length++) {
    if (length === out.length) return -1
    let byte = text.charCodeAt(at)
    if (byte === 0x25) {
      const high = hexDigit(text.charCodeAt(at + 1))
      const low = hexDigit(text.charCodeAt(at + 2))
      if (high < 0 || low < 0) return -1
      byte = high * 16 + low
      at += 2
    } else if (byte === 0x2b) byte = 0x20
    if (byte > 0xff) return -1
    out[length] = byte
  }
  return length
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function integer(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null
}

function claimedAddress(text: string): Uint8Array | null {
  const bytes = new Uint8Array(MAX_ADDRESS_TEXT)
  const length = text === '' ? 0 : percentDecode(text, bytes)
  return length > 0 ? addressToBytes(latin1(bytes.subarray(0, length))) : null
}
