import type { LibtorrentError, LibtorrentErrorCode } from '../errors/libtorrentError.ts'

/** Ends that say nothing against the peer. */
const HARMLESS: readonly LibtorrentErrorCode[] = [
  'duplicatePeerId',
  'uploadUploadConnection',
  'uninterestingUploadPeer',
  'torrentPaused',
  'torrentAborted',
  'torrentRemoved',
  'stoppingTorrent',
  'sessionClosing',
  'tooManyConnections',
  'optimisticDisconnect',
  'portBlocked',
  'timedOutNoInterest',
]
const HARMLESS_ENDS: ReadonlySet<string> = new Set(HARMLESS)

/** Ends that are no good sign, and still nothing the peer may not send. */
const NO_PEER_ERRORS: ReadonlySet<string> = new Set<LibtorrentErrorCode>([
  ...HARMLESS,
  'timedOut',
  'timedOutNoHandshake',
  'timedOutInactivity',
  'timedOutNoRequest',
  'selfConnection',
  'invalidInfoHash',
  'torrentNotReady',
  'tooManyCorruptPieces',
  'syncHashNotFound',
  'noPlaintextMode',
  'noRc4Mode',
  'unsupportedEncryptionMode',
])

/** Whether it counts against the peer when there is a choice of whom to connect to: never reached, or no good peer. */
export function isConnectionFailure(error: LibtorrentError, wasReady: boolean): boolean {
  // That our proxy fails says nothing of those behind it.
  if (error.operation === 'proxy') return false
  return !HARMLESS_ENDS.has(error.code) && (!wasReady || isOfProtocol(error))
}

/** Whether the peer sent what it may not (manual, peer_error_alert); every other end is a peer_disconnected_alert. */
export function isPeerError(error: LibtorrentError): boolean {
  return isOfProtocol(error) && !NO_PEER_ERRORS.has(error.code)
}

function isOfProtocol({ operation, category }: LibtorrentError): boolean {
  return (operation === 'bittorrent' || operation === 'encryption') && category === 'libtorrent'
}
