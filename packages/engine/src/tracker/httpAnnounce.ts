import { EncPolicy } from '../settings/settingEnums.ts'
import { utf8 } from '../util/bytes.ts'
import { locationText, percentEncode, percentEncodeLatin1, type TrackerLocation } from './trackerLocation.ts'
import type { TrackerLogin, TrackerRequest } from './trackerRequest.ts'
import type { TrackerSettings } from './trackerSettings.ts'

/** Sent instead of our user agent in anonymous mode: a value shared by many programs. */
const ANONYMOUS_USER_AGENT = 'curl/7.81.0'

type AnnounceUrlSettings = Pick<
  TrackerSettings,
  'announceCryptoSupport' | 'inEncPolicy' | 'reportRedundantBytes' | 'announceIp' | 'anonymousMode'
>

/**
 * The URL of an HTTP announce (BEP 3, 7, 23), with its parameters in libtorrent's order, behind the query that the
 * tracker's own URL may have. Credentials are not in it.
 */
export function announceUrl(tracker: TrackerLocation, request: TrackerRequest, settings: AnnounceUrlSettings): string {
  const parameters = [
    `info_hash=${percentEncode(request.infoHash)}`,
    `peer_id=${percentEncode(request.peerId)}`,
    `port=${request.port}`,
    `uploaded=${request.uploaded}`,
    `downloaded=${request.downloaded}`,
    `left=${request.left}`,
    `corrupt=${request.corrupt}`,
    `key=${(request.key >>> 0).toString(16).toUpperCase().padStart(8, '0')}`,
  ]
  if (request.event !== 'none') parameters.push(`event=${request.event}`)
  parameters.push(`numwant=${request.numWant}`, 'compact=1', 'no_peer_id=1')
  if (settings.announceCryptoSupport && settings.inEncPolicy !== EncPolicy.disabled) parameters.push('supportcrypto=1')
  if (settings.reportRedundantBytes) parameters.push(`redundant=${request.redundant}`)
  if (request.trackerId !== '') parameters.push(`trackerid=${percentEncodeLatin1(request.trackerId)}`)
  if (request.i2pDestination !== undefined) {
    parameters.push(`ip=${percentEncode(utf8(request.i2pDestination))}.i2p`)
  } else if (settings.anonymousMode !== true) {
    if (settings.announceIp !== '') parameters.push(`ip=${percentEncode(utf8(settings.announceIp))}`)
    for (const address of request.ipv4 ?? []) parameters.push(`ipv4=${percentEncode(utf8(address))}`)
    for (const address of request.ipv6 ?? []) parameters.push(`ipv6=${percentEncode(utf8(address))}`)
  }
  return withQuery(tracker, tracker.path, parameters.join('&'))
}

/** The tracker's URL with `path`, and `query` behind the one `path` may have. */
export function withQuery(tracker: TrackerLocation, path: string, query: string): string {
  return `${locationText(tracker, path)}${path.includes('?') ? '&' : '?'}${query}`
}

/** Headers of an announce or scrape. `login` counts when the tracker's URL brings no credentials. */
export function trackerHeaders(
  tracker: TrackerLocation,
  query: { readonly login?: TrackerLogin; readonly privateTorrent?: boolean },
  settings: Pick<TrackerSettings, 'userAgent' | 'anonymousMode'>,
): Record<string, string> {
  const anonymous = settings.anonymousMode === true && query.privateTorrent !== true
  const headers: Record<string, string> = {
    'user-agent': anonymous ? ANONYMOUS_USER_AGENT : settings.userAgent.replace(/[^\x20-\x7e]/g, ''),
  }
  const login = tracker.login ?? query.login
  if (login !== undefined && login.username !== '') headers.authorization = basicAuthorization(login)
  return headers
}

function basicAuthorization(login: TrackerLogin): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64')}`
}
