import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { fromLatin1, latin1, utf8 } from '../util/bytes.ts'
import { isIdna } from './isIdna.ts'
import type { TrackerLogin } from './trackerRequest.ts'

type TrackerScheme = keyof typeof DEFAULT_PORT

/** A tracker's URL in parts that are safe to use: no control characters, no credentials, no fragment. */
export interface TrackerLocation {
  readonly scheme: TrackerScheme
  /** Lower case; an IPv6 address without brackets. International names are in their `xn--` form. */
  readonly host: string
  readonly port: number
  /** Path and query, percent-encoded, beginning with `/`; empty for a UDP tracker without one. */
  readonly path: string
  /** Credentials from the URL. */
  readonly login: TrackerLogin | null
  /** The host is an international name. */
  readonly isIdna: boolean
}

const MAX_URL_LENGTH = 8192
const DEFAULT_PORT = { http: 80, https: 443, udp: 80, ws: 80, wss: 443 } as const

/** Characters that a path or query carries as they are: RFC 3986's, `%` of what is encoded already, and `[]`. */
const PATH_CHARACTER = /[A-Za-z0-9\-._~!$&'()*+,;=:@/?%[\]]/

/**
 * Takes a tracker's URL apart. Blanks around it are dropped; blanks and non-ASCII characters in its path are encoded.
 * Errors: `urlParseError` (control characters, no host), `unsupportedUrlProtocol`, `invalidHostname`, `invalidPort`,
 * `expectedCloseBracketInAddress`.
 */
export function parseTrackerUrl(text: string): TrackerLocation | LibtorrentError {
  const url = text.trim()
  if (url.length > MAX_URL_LENGTH || hasControlCharacter(url)) return refuse('urlParseError')
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/.exec(url)
  if (parts === null) return refuse('urlParseError')
  const scheme = parts[1].toLowerCase()
  if (!isKnownScheme(scheme)) return refuse('unsupportedUrlProtocol')

  const at = parts[2].lastIndexOf('@')
  const authority = splitAuthority(parts[2].slice(at + 1))
  if ('code' in authority) return refuse(authority.code)
  const host = asciiHost(authority.host)
  if (host === null) return refuse('invalidHostname')
  const port = authority.port === '' ? DEFAULT_PORT[scheme] : parsePort(authority.port)
  if (port === null) return refuse('invalidPort')

  return {
    scheme,
    host,
    port,
    path: encodePath(parts[3], scheme),
    login: at === -1 ? null : parseLogin(parts[2].slice(0, at)),
    isIdna: isIdna(authority.host),
  }
}

function isKnownScheme(scheme: string): scheme is TrackerScheme {
  return Object.hasOwn(DEFAULT_PORT, scheme)
}

/** Trackers that introduce WebRTC peers. */
export function isWebSocketScheme(scheme: string): boolean {
  return scheme === 'ws' || scheme === 'wss'
}

/** As `isWebSocketScheme`, of a whole URL. */
export function isWebSocketUrl(url: string): boolean {
  return /^wss?:\/\//i.test(url)
}

/** The URL in text, without credentials. */
export function locationText(url: TrackerLocation, path: string = url.path): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host
  const port = url.port === DEFAULT_PORT[url.scheme] ? '' : `:${url.port}`
  return `${url.scheme}://${host}${port}${path}`
}

/** `url` without the credentials it may contain, for alerts and logs. Any text is accepted. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/?#]*@/, '$1')
}

const ANNOUNCE_PARAMETERS = new Set([
  'info_hash',
  'event',
  'port',
  'left',
  'key',
  'uploaded',
  'downloaded',
  'corrupt',
  'peer_id',
])

/** Whether the URL brings announce parameters of its own, as one made to abuse another service would. */
export function hasAnnounceParameters(url: TrackerLocation): boolean {
  const query = url.path.indexOf('?')
  if (query === -1) return false
  return url.path
    .slice(query + 1)
    .split('&')
    .some((pair) => ANNOUNCE_PARAMETERS.has(pair.split('=', 1)[0].toLowerCase()))
}

function refuse(code: LibtorrentErrorCode): LibtorrentError {
  return libtorrentError(code, { operation: 'tracker' })
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

function splitAuthority(text: string): { host: string; port: string } | { code: LibtorrentErrorCode } {
  if (text.startsWith('[')) {
    const close = text.indexOf(']')
    if (close === -1) return { code: 'expectedCloseBracketInAddress' }
    const rest = text.slice(close + 1)
    if (rest !== '' && !rest.startsWith(':')) return { code: 'invalidPort' }
    const host = text.slice(1, close)
    return host.includes(':') ? { host, port: rest.slice(1) } : { code: 'invalidHostname' }
  }
  const colon = text.indexOf(':')
  return colon === -1 ? { host: text, port: '' } : { host: text.slice(0, colon), port: text.slice(colon + 1) }
}

function asciiHost(host: string): string | null {
  if (host.includes(':')) return /^[0-9A-Fa-f:.]+$/.test(host) ? host.toLowerCase() : null
  if (/^[A-Za-z0-9._-]+$/.test(host)) return host.toLowerCase()
  if (!isIdna(host) || host.includes('%')) return null
  try {
    return new URL(`http://${host}/`).hostname
  } catch {
    return null
  }
}

function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text)) return null
  const port = Number(text)
  return port >= 1 && port <= 65535 ? port : null
}

function encodePath(text: string, scheme: TrackerScheme): string {
  if (text === '') return scheme === 'udp' ? '' : '/'
  let out = text.startsWith('/') ? '' : '/'
  for (const character of text) out += PATH_CHARACTER.test(character) ? character : percentEncode(utf8(character))
  return out
}

function parseLogin(userInfo: string): TrackerLogin {
  const colon = userInfo.indexOf(':')
  const username = colon === -1 ? userInfo : userInfo.slice(0, colon)
  return { username: percentDecode(username), password: colon === -1 ? '' : percentDecode(userInfo.slice(colon + 1)) }
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `%` and two lower-case hexadecimal digits for each byte, except for those that mean themselves everywhere. */
export function percentEncode(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += PERCENT_ENCODED[byte]
  return out
}

/** As `percentEncode`, for text with one character per byte. */
export function percentEncodeLatin1(text: string): string {
  return percentEncode(fromLatin1(text))
}

const UNRESERVED = '-_!.~*()ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const PERCENT_ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = latin1(Uint8Array.of(byte))
  return UNRESERVED.includes(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
})
