import { constants } from 'node:crypto'

/**
 * For every connection between peers: no version before 1.2, nothing negotiated anew, and no sessions that could be taken
 * up again, least of all with another torrent.
 */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  secureOptions:
    constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
} as const
