import { httpError, type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { HttpStreamHead } from '../platform/httpStream.ts'
import type { Seconds, UnixSeconds } from '../util/flavored.ts'
import type { ByteRange } from './segment.ts'

/** What an answer means for the bytes that were asked for. */
export type Verdict =
  /** They come, behind `skip` others; `length` of them, which may be fewer than asked for. */
  | { readonly kind: 'body'; readonly skip: number; readonly length: number }
  | { readonly kind: 'redirect'; readonly location: string | undefined }
  /** The server does not have the file, or has another one in its place. */
  | { readonly kind: 'missing'; readonly error: LibtorrentError }
  /** Not now: to be asked again, after `retryAfter` if the server said when. */
  | { readonly kind: 'busy'; readonly error: LibtorrentError; readonly retryAfter: Seconds | null }
  /** Never from this server. */
  | { readonly kind: 'refused'; readonly error: LibtorrentError }

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Statuses that say that what was asked for is not there: the last one that a file is shorter than ours. */
const NOT_THERE = new Set([403, 404, 410, 416])
/** Statuses of servers that may well be fine later. */
const LATER = new Set([408, 425, 429])
const NO_ACCESS = new Set([401, 407])

/** Most bytes of a file that are read only to be dropped, when a server gives the whole file in place of a range. */
const MAX_SKIP_BYTES = 4 << 20

/** Longest time a server can send us away for. */
const MAX_RETRY_AFTER: Seconds = 24 * 3600

/** Judges the answer of a URL seed (BEP 19) to a request for `range` of a file of `fileSize` bytes. */
export function judgeFileResponse(head: HttpStreamHead, range: ByteRange, fileSize: number, now: UnixSeconds): Verdict {
  const { status, headers } = head
  if (status !== 200 && status !== 206) return judgeStatus(head, now)
  if (isEncoded(headers)) return missing('httpFailedDecompress')
  return status === 206 ? judgePart(headers, range, fileSize) : judgeWhole(headers, range, fileSize)
}

/** Judges the answer of an HTTP seed (BEP 17) to a request for `length` bytes of a piece. */
export function judgePieceResponse(head: HttpStreamHead, length: number, now: UnixSeconds): Verdict {
  const { status, headers } = head
  if (status !== 200 && status !== 206) {
    const verdict = judgeStatus(head, now)
    // A script has no files, and its word is for all pieces.
    return verdict.kind === 'missing' ? { kind: 'busy', error: verdict.error, retryAfter: null } : verdict
  }
  const size = contentLength(headers)
  if (isEncoded(headers) || (size !== null && size !== length)) return missing('invalidRange')
  return { kind: 'body', skip: 0, length }
}

function judgeStatus({ status, headers }: HttpStreamHead, now: UnixSeconds): Verdict {
  const error = httpError(status)
  if (REDIRECTS.has(status)) return { kind: 'redirect', location: headers.location }
  if (NOT_THERE.has(status)) return { kind: 'missing', error }
  if (NO_ACCESS.has(status)) return { kind: 'refused', error }
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'busy', error, retryAfter: parseRetryAfter(headers['retry-after'], now) }
  }
  return status >= 400 ? { kind: 'missing', error } : { kind: 'busy', error, retryAfter: null }
}

/** 206: the part must begin where it was asked for; it may be shorter (RFC 9110 section 15.3.7). */
function judgePart(headers: HttpStreamHead['headers'], range: ByteRange, fileSize: number): Verdict {
  const part = parseContentRange(headers['content-range'])
  if (part === null || part.offset !== range.offset || part.length > range.length) return missing('invalidRange')
  if (part.total !== null && part.total !== fileSize) return missing('invalidRange')
  const size = contentLength(headers)
  if (size !== null && size !== part.length) return missing('invalidRange')
  return { kind: 'body', skip: 0, length: part.length }
}

/** 200: the whole file, from a server that does not know ranges - or a page that says in words what is wrong. */
function judgeWhole(headers: HttpStreamHead['headers'], range: ByteRange, fileSize: number): Verdict {
  const size = contentLength(headers)
  if (size === null) return missing('noContentLength')
  if (size !== fileSize || range.offset > MAX_SKIP_BYTES) return missing('invalidRange')
  return { kind: 'body', skip: range.offset, length: range.length }
}

/** `bytes 0-99/1000`; `total` is null for `*`. Null for anything else. */
export function parseContentRange(text: string | undefined): (ByteRange & { readonly total: number | null }) | null {
  const match = /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(text ?? '')
  if (match === null) return null
  const [first, last] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? null : Number(match[3])
  if (last < first || (total !== null && last >= total)) return null
  return { offset: first, length: last - first + 1, total }
}

/** Seconds, or a date (RFC 9110 section 10.2.3), as seconds from now, up to a day; null for anything else. */
export function parseRetryAfter(text: string | undefined, now: UnixSeconds): Seconds | null {
  const trimmed = (text ?? '').trim()
  if (/^\d{1,12}$/.test(trimmed)) return Math.min(Number(trimmed), MAX_RETRY_AFTER)
  const date = parseHttpDate(trimmed)
  return date === null ? null : Math.max(0, Math.min(date - now, MAX_RETRY_AFTER))
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of date that servers may send. */
function parseHttpDate(text: string): UnixSeconds | null {
  const match = /^[a-z]{3}, (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) gmt$/i.exec(text)
  const month = match === null ? -1 : MONTHS.indexOf(match[2].toLowerCase())
  if (match === null || month === -1) return null
  const [day, year, hours, minutes, seconds] = [match[1], match[3], match[4], match[5], match[6]].map(Number)
  return daysSince1970(year, month + 1, day) * 86_400 + hours * 3600 + minutes * 60 + seconds
}

/** Of the Gregorian calendar; years are taken to begin in March, so that a leap day is the last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const monthFromMarch = (month + 9) % 12
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}

function contentLength(headers: HttpStreamHead['headers']): number | null {
  const text = headers['content-length']
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** Compressed, or several parts in one: we asked for neither. */
function isEncoded(headers: HttpStreamHead['headers']): boolean {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? ''
  return (encoding !== '' && encoding !== 'identity') || /^\s*multipart\//i.test(headers['content-type'] ?? '')
}

function missing(code: 'invalidRange' | 'noContentLength' | 'httpFailedDecompress'): Verdict {
  return { kind: 'missing', error: libtorrentError(code) }
}
