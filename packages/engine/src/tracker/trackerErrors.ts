import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'

/** The tracker's URL, or the address it leads to, could be an attack on a service behind our firewall. */
export function ssrfMitigationError(): LibtorrentError {
  return libtorrentError('ssrfMitigation', { operation: 'tracker' })
}

/** The tracker's host has an international name, and setting `allow_idna` is off. */
export function blockedByIdnaError(): LibtorrentError {
  return libtorrentError('blockedByIdna', { operation: 'tracker' })
}

/** No address of the tracker is of a family that the announce may go out by. */
export function noRouteError(): LibtorrentError {
  return new LibtorrentError(
    { code: 'EAFNOSUPPORT', value: 97, category: 'system' },
    'address family not supported by protocol',
    { operation: 'tracker' },
  )
}

/** We have no address to speak from. */
export function noLocalAddressError(): LibtorrentError {
  return new LibtorrentError({ code: 'EADDRNOTAVAIL', value: 99, category: 'system' }, 'address not available', {
    operation: 'tracker',
  })
}

const UNREACHABLE = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'ENETUNREACH'])

/** Whether `error` says that there is no way from our address to the tracker's: nothing was sent at all. */
export function isUnreachable(error: LibtorrentError): boolean {
  return error.category === 'system' && UNREACHABLE.has(error.code)
}
