import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { escapeUrlText } from '../metainfo/urlText.ts'
import { percentEncode } from '../tracker/trackerLocation.ts'
import type { ByteRange } from './segment.ts'

const MAX_URL_LENGTH = 8192

/** The URL of a web seed in parts that are safe to use. */
export interface WebSeedLocation {
  /** Without credentials and fragment. */
  readonly url: string
  /** Value of an `Authorization` header for the credentials the URL had, or null. */
  readonly authorization: string | null
}

/** Takes the URL of a web seed apart. Errors: `urlParseError`, `unsupportedUrlProtocol`. */
export function parseWebSeedUrl(text: string): WebSeedLocation | LibtorrentError {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return libtorrentError('urlParseError')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return libtorrentError('unsupportedUrlProtocol')
  const hasLogin = url.username !== '' || url.password !== ''
  const authorization = hasLogin ? basicAuthorization(`${decoded(url.username)}:${decoded(url.password)}`) : null
  url.username = ''
  url.password = ''
  url.hash = ''
  return { url: url.href, authorization }
}

/** The value of an `Authorization` header for `user:password`. */
export function basicAuthorization(login: string): string {
  return `Basic ${Buffer.from(login, 'utf8').toString('base64')}`
}

/**
 * The URL of a file (BEP 19; manual, HTTP seeding). `path` is the file's in the torrent, with the torrent's name in front
 * if it has several files. To a URL that ends in a slash it is appended; that of a torrent of several files always is, as
 * there it can only be a directory.
 */
export function fileUrl(seedUrl: string, path: string, isSingleFile: boolean): string {
  const isDirectory = seedUrl.endsWith('/')
  if (isSingleFile && !isDirectory) return seedUrl
  return `${seedUrl}${isDirectory ? '' : '/'}${path.split('/').map(escapeUrlText).join('/')}`
}

/** The URL that asks an HTTP seed (BEP 17) for part of a piece; of a whole piece without `ranges`. */
export function httpSeedUrl(
  seedUrl: string,
  infoHash: Uint8Array,
  piece: number,
  part: ByteRange,
  pieceSize: number,
): string {
  const ranges = part.length === pieceSize ? '' : `&ranges=${part.offset}-${part.offset + part.length - 1}`
  const mark = seedUrl.includes('?') ? '&' : '?'
  return `${seedUrl}${mark}info_hash=${percentEncode(infoHash)}&piece=${piece}${ranges}`
}

/** Where a redirect leads, or why it is not followed: `missingLocation`, `invalidRedirection`. */
export function redirectTarget(from: string, location: string | undefined): string | LibtorrentError {
  if (location === undefined || location === '') return libtorrentError('missingLocation')
  const target = location.length <= MAX_URL_LENGTH && URL.canParse(location, from) ? new URL(location, from).href : ''
  const to = parseWebSeedUrl(target)
  // What was asked for in confidence is not repeated in the open.
  if (!('url' in to) || (from.startsWith('https:') && to.url.startsWith('http:'))) {
    return libtorrentError('invalidRedirection')
  }
  return to.url
}

export function isSameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
