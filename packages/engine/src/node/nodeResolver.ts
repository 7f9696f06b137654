import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Resolver } from '../platform/resolver.ts'

/** Host names by the system's resolver, so that /etc/hosts and local policy count. */
export class NodeResolver implements Resolver {
  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void {
    let cancelled = false
    const answer = (result: readonly string[] | LibtorrentError) => {
      if (!cancelled) done(result)
    }
    const cancel = () => {
      cancelled = true
    }
    const literal = host.startsWith('[') ? host.slice(1, -1) : host
    if (isIP(literal) !== 0) {
      setImmediate(answer, [literal])
      return cancel
    }
    lookup(host, { all: true, order: 'verbatim' }, (cause, found) => {
      if (cause) return answer(systemError(cause, { operation: 'hostnameLookup' }))
      answer(found.map((entry) => entry.address))
    })
    return cancel
  }
}
