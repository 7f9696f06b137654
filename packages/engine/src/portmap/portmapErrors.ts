import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'

const DETAILS = { operation: 'portmap' } as const

/** NAT-PMP's result codes (RFC 6886 section 3.5). */
const NATPMP_CODES: readonly LibtorrentErrorCode[] = [
  'noError',
  'unsupportedProtocolVersion',
  'natpmpNotAuthorized',
  'networkFailure',
  'noResources',
  'unsupportedOpcode',
]

/** PCP's result codes (RFC 6887 section 7.4), by those of the manual that say the same. */
const PCP_CODES: readonly (readonly [LibtorrentErrorCode, meaning: string])[] = [
  ['noError', 'success'],
  ['unsupportedProtocolVersion', 'unsupported version'],
  ['natpmpNotAuthorized', 'not authorized'],
  ['unsupportedOpcode', 'malformed request'],
  ['unsupportedOpcode', 'unsupported opcode'],
  ['unsupportedOpcode', 'unsupported option'],
  ['unsupportedOpcode', 'malformed option'],
  ['networkFailure', 'network failure'],
  ['noResources', 'no resources'],
  ['unsupportedOpcode', 'unsupported protocol'],
  ['noResources', 'user exceeded quota'],
  ['noResources', 'cannot provide external'],
  ['networkFailure', 'address mismatch'],
  ['noResources', 'excessive remote peers'],
]

/** The manual's error (120 to 124) for a result of NAT-PMP. */
export function natpmpError(result: number): LibtorrentError {
  return libtorrentError(NATPMP_CODES[result] ?? 'networkFailure', DETAILS)
}

/** The manual's error for a result of PCP; the text says what PCP calls it. */
export function pcpError(result: number): LibtorrentError {
  const [code, meaning] = PCP_CODES[result] ?? ['networkFailure', `unknown result ${result}`]
  const error = libtorrentError(code, DETAILS)
  return libtorrentError(code, { ...DETAILS, message: `${error.message} (PCP: ${meaning})` })
}

export function noRouterError(): LibtorrentError {
  return libtorrentError('noRouter', DETAILS)
}

/** The router that made a mapping does not answer any more. */
export function routerGoneError(): LibtorrentError {
  return libtorrentError('timedOut', { ...DETAILS, message: 'the router does not answer any more' })
}
