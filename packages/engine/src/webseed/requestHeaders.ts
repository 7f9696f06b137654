import type { WebSeedEntry } from '../metainfo/trackerUrl.ts'
import { basicAuthorization, type WebSeedLocation } from './webSeedLocation.ts'
import type { WebSeedSettings } from './webSeedSettings.ts'

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
/** A value of two lines would be two headers. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** The headers of all requests to a web seed. Its `auth` goes before credentials in its URL. */
export function requestHeaders(
  entry: WebSeedEntry,
  location: WebSeedLocation,
  settings: Pick<WebSeedSettings, 'userAgent' | 'anonymousMode'>,
): Record<string, string> {
  // A compressed answer has other bytes than the file.
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity' }
  const agent = settings.userAgent.replace(/[^\x20-\x7e]/g, '')
  if (agent !== '' && !settings.anonymousMode) headers['user-agent'] = agent
  const authorization = entry.auth === undefined ? location.authorization : basicAuthorization(entry.auth)
  if (authorization !== null) headers.authorization = authorization
  for (const [name, value] of entry.extraHeaders ?? []) {
    if (HEADER_NAME.test(name) && HEADER_VALUE.test(value)) headers[name.toLowerCase()] = value
  }
  return headers
}

/** What another server than the one they are for may be sent of them. */
export function headersForOthers(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { authorization: _authorization, cookie: _cookie, ...others } = headers
  return others
}

/** For alerts and logs: a query may be a key to somebody's files. */
export function withoutQuery(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}
