import type { SecureContext } from 'node:tls'
import type { TlsContext } from '../platform/tls.ts'
import { credentialsOf } from './tlsCredentials.ts'

/** Whom an https server must be vouched for by, and what it is shown. */
export interface HttpsTrust {
  /** Check its certificate. */
  readonly validateCertificate: boolean
  /** Of an SSL torrent: its root certificate takes the place of the system's, and it is always checked. */
  readonly tls: TlsContext | undefined
}

/** The same as Node's TLS takes it. */
export function httpsOptions({ validateCertificate, tls }: HttpsTrust): {
  readonly rejectUnauthorized: boolean
  readonly secureContext?: SecureContext
} {
  if (tls === undefined) return { rejectUnauthorized: validateCertificate }
  return { rejectUnauthorized: true, secureContext: credentialsOf(tls).context }
}
