import type { IncomingMessage } from 'node:http'
import { normalizeAddress } from '../address/addressBytes.ts'

/** Whether it is this machine that speaks to us. */
export function isOwnAddress(address: string): boolean {
  return address === '127.0.0.1' || address === '::1'
}

/**
 * Whom a request comes from. `trustsProxy`: what this machine sends comes from a web server on it, which has put its
 * client's address at the end of `X-Forwarded-For`; what is before that may be the client's own invention.
 */
export function clientAddress({ socket, headers }: IncomingMessage, trustsProxy: boolean): string {
  const address = socket.remoteAddress ?? ''
  if (!trustsProxy || !isOwnAddress(address)) return address
  const last = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
  return normalizeAddress(last?.trim() ?? '') ?? address
}
