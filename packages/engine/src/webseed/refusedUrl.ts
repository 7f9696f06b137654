import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { isIdna } from '../tracker/isIdna.ts'
import type { WebSeedHost } from './webSeedHost.ts'

/**
 * Why a URL, of the torrent or of a redirect, is not to be asked, known before its name is looked up; or null.
 * `blockedByIdna` (setting `allow_idna`) or `portBlocked` (the port filter).
 */
export function refusedUrl(url: string, host: Pick<WebSeedHost, 'settings' | 'isPortBlocked'>): LibtorrentError | null {
  const { hostname, port, protocol } = new URL(url)
  if (host.settings.allowIdna !== true && isIdna(hostname))
    return libtorrentError('blockedByIdna', { operation: 'connect' })
  const isBlocked = host.isPortBlocked?.(Number(port) || (protocol === 'https:' ? 443 : 80))
  return isBlocked ? libtorrentError('portBlocked', { operation: 'connect' }) : null
}
