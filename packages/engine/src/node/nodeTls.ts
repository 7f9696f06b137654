import type { Duplex } from 'node:stream'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Tls, TlsClientOptions, TlsContext, TlsIdentity, TlsServerOptions } from '../platform/tls.ts'
import { notSigned } from './certificateError.ts'
import { loadTls } from './loadTls.ts'
import { NodeStream } from './nodeTcp.ts'
import { NodeTlsStream } from './nodeTlsStream.ts'
import { StreamDuplex } from './streamDuplex.ts'
import { credentialsOf, readCredentials, readTrust } from './tlsCredentials.ts'
import { TLS_OPTIONS } from './tlsOptions.ts'

/** Time for everything else is the engine's affair; Node insists on one of its own. */
const NODE_HANDSHAKE_TIMEOUT_MS = 120_000

/** TLS by Node's own, which is OpenSSL. Over a socket of Node it works on the socket itself, else on bytes. */
export class NodeTls implements Tls {
  newContext(rootCertificate: string, identity: TlsIdentity | null): TlsContext | LibtorrentError {
    return identity === null ? readTrust(rootCertificate) : readCredentials(rootCertificate, identity)
  }

  connect(stream: Stream, { context, serverName, verify }: TlsClientOptions, handler: StreamHandler): Stream {
    const below = socketOf(stream)
    const secure = new NodeTlsStream(below, stream, verify)
    secure.setHandler(handler)
    const socket = loadTls().connect({
      socket: below,
      servername: serverName,
      secureContext: credentialsOf(context).context,
      // Who it is does not follow from where it is: `verify` looks at the names.
      checkServerIdentity: () => undefined,
    })
    socket.on('error', (cause) => secure.failed(cause))
    socket.once('secureConnect', () => secure.established(socket))
    return secure
  }

  accept(stream: Stream, options: TlsServerOptions): Stream {
    const below = socketOf(stream)
    const secure = new NodeTlsStream(below, stream, options.verify)
    // A server of its own for each connection, since nothing else tells which of several a callback is about. It costs a
    // quarter of a millisecond, a fraction of what the handshake does.
    const server = loadTls().createServer({
      ...TLS_OPTIONS,
      ca: [],
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: NODE_HANDSHAKE_TIMEOUT_MS,
      SNICallback: (serverName, done) => {
        const context = options.contextFor(serverName)
        if (context === null) done(libtorrentError('invalidInfoHash', { operation: 'sslHandshake' }))
        else done(null, credentialsOf(context).context)
      },
    })
    server.once('secureConnection', (socket) => secure.established(socket))
    server.once('tlsClientError', (cause, socket) => {
      const { authorizationError } = socket
      secure.failed(authorizationError ? notSigned('peer', String(authorizationError)) : cause)
    })
    server.emit('connection', below)
    return secure
  }
}

function socketOf(stream: Stream): Duplex {
  return stream instanceof NodeStream ? stream.release() : new StreamDuplex(stream)
}
