import { libtorrentError } from '../errors/libtorrentError.ts'
import { latin1 } from '../util/bytes.ts'
import { withQuery } from './httpAnnounce.ts'
import { decodeFailure, decodeRoot, readCounts } from './httpResponse.ts'
import { percentEncode, type TrackerLocation } from './trackerLocation.ts'
import { type ScrapeReply, type TrackerFailure, trackerFailure } from './trackerRequest.ts'

/**
 * The URL that asks an HTTP tracker about one torrent (BEP 48): the last path element that begins with `announce`
 * begins with `scrape` instead. Null when there is none: the tracker has no scrape.
 */
export function scrapeUrl(tracker: TrackerLocation, infoHash: Uint8Array): string | null {
  const queryAt = tracker.path.indexOf('?')
  const pathEnd = queryAt === -1 ? tracker.path.length : queryAt
  const at = tracker.path.slice(0, pathEnd).lastIndexOf('/announce')
  if (at === -1) return null
  const path = `${tracker.path.slice(0, at)}/scrape${tracker.path.slice(at + '/announce'.length)}`
  return withQuery(tracker, path, `info_hash=${percentEncode(infoHash)}`)
}

/** Decodes the body of an HTTP tracker's answer to a scrape for `infoHash`. Never throws. */
export function decodeScrapeReply(body: Uint8Array, infoHash: Uint8Array): ScrapeReply | TrackerFailure {
  const root = decodeRoot(body)
  if (root === null) return trackerFailure(libtorrentError('invalidTrackerResponse', { operation: 'tracker' }))
  const refused = decodeFailure(root)
  if (refused !== null) return refused
  const files = root.getDict('files')
  if (files === null) return trackerFailure(libtorrentError('invalidFilesEntry', { operation: 'tracker' }))
  const name = latin1(infoHash)
  const entry = files.getDict(name)
  if (entry === null) {
    const words = files.get(name) === null ? { message: 'the tracker does not know this torrent' } : {}
    return trackerFailure(libtorrentError('invalidHashEntry', { operation: 'tracker', ...words }))
  }
  return { kind: 'scrape', ...readCounts(entry) }
}
