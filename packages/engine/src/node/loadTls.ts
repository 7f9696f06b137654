import { createRequire } from 'node:module'

type TlsModule = typeof import('node:tls')

let loaded: TlsModule | null = null

/** Node's TLS, at once. Loading it takes as long as starting a session, and few sessions have SSL torrents. */
export function loadTls(): TlsModule {
  loaded ??= createRequire(import.meta.url)('node:tls') as TlsModule
  return loaded
}
