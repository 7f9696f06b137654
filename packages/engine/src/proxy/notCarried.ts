import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { networkFailure } from './socksReplies.ts'

const CODE = 'EPERM'

/** The proxy does not carry it, or there is none and there must be one: it is not sent at all. */
export function notCarriedError(): LibtorrentError {
  return networkFailure(CODE, 1, 'the proxy does not carry this, and nothing may go past it', 'proxy')
}

/** Whether `error` is `notCarriedError`. */
export function isNotCarried({ category, code, operation }: LibtorrentError): boolean {
  return category === 'system' && code === CODE && operation === 'proxy'
}
