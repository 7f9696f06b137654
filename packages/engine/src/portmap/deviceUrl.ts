import { normalizeAddress } from '../address/addressBytes.ts'

const MAX_URL_LENGTH = 512

/** Ports whose services take lines of text and may act on those of an HTTP request; no router is controlled there. */
const TEXT_PROTOCOL_PORTS = new Set([21, 22, 23, 25, 110, 119, 143, 465, 587, 993, 995, 6379, 6667, 11211])

/**
 * `text`, relative to `base` if there is one, as a URL of the device at `address`: http, by that address and not by a
 * name, without credentials, at a port where a router may be. Null for anything else.
 */
export function deviceUrl(text: string, address: string, base?: URL): URL | null {
  if (text.length > MAX_URL_LENGTH) return null
  let url: URL
  try {
    url = new URL(text, base)
  } catch {
    return null
  }
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '') return null
  if (normalizeAddress(url.hostname) !== address) return null
  if (url.port === '0' || TEXT_PROTOCOL_PORTS.has(Number(url.port))) return null
  url.hash = ''
  return url
}
