import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'

/** The tracker's URL, or the address it leads to, could be an attack on a service behind our firewall. */
export function ssrfMitigationError(): LibtorrentError {
  return libtorrentError('ssrfMitigation', { operation: 'tracker' })
}

/** The tracker's host has an international name, and setting `allow_idna` is off. */
export function blockedByIdnaError(): LibtorrentError {
  return libtorrentError('blockedByIdna', { operation: 'tracker' })
}
