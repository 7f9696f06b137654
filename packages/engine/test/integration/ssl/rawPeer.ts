import net from 'node:net'
import tls from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Sha1Hash } from '../../../src/util/digest.ts'
import { encodeHandshake } from '../../../src/wire/handshake.ts'
import type { IssuedCertificate } from './authority.ts'

/** Lets any version and key through: what is refused is refused by the other side. */
const PERMISSIVE = { rejectUnauthorized: false, ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1' } as const

export interface RawPeerOptions {
  readonly serverName?: string
  readonly certificate?: IssuedCertificate
  readonly tls?: tls.ConnectionOptions
  /** Sent when TLS stands. */
  readonly infoHash?: Sha1Hash
}

/** What a connection came to: an answer to the BitTorrent handshake, or its end. */
export type RawOutcome = 'answered' | 'closed'

/** Speaks TLS and BitTorrent to a port as no client of ours would. */
export class RawPeer {
  readonly socket: tls.TLSSocket
  readonly outcome: Promise<RawOutcome>
  readonly session: Promise<Buffer>

  constructor(port: number, { serverName, certificate, infoHash, tls: more }: RawPeerOptions) {
    const socket = tls.connect({
      host: '127.0.0.1',
      port,
      servername: serverName,
      checkServerIdentity: () => undefined,
      cert: certificate?.certificate,
      key: certificate?.privateKey,
      ...PERMISSIVE,
      ...more,
    })
    this.socket = socket
    this.session = new Promise((resolve) => socket.once('session', resolve))
    this.outcome = new Promise((resolve) => {
      socket.on('error', () => {})
      socket.on('close', () => resolve('closed'))
      socket.on('data', () => resolve('answered'))
    })
    socket.on('secureConnect', () => {
      if (infoHash !== undefined)
        socket.write(
          encodeHandshake({
            infoHash: infoHash.bytes,
            peerId: new Uint8Array(20).fill(7),
            reserved: new Uint8Array(8),
          }),
        )
    })
    onTestFinished(() => void socket.destroy())
  }
}

/** A plain TCP connection; `said` is sent at once. Resolves when the other side has ended it. */
export function plainConnection(port: number, said: Uint8Array): Promise<void> {
  const socket = net.connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('connect', () => socket.write(said))
    socket.on('data', () => {})
    socket.on('close', () => resolve())
  })
}

/** A TLS server that answers everybody with one certificate, and the handshakes it was sent. */
export async function rawServer(options: tls.TlsOptions): Promise<{ readonly port: number; readonly heard: Buffer[] }> {
  const heard: Buffer[] = []
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => heard.push(bytes))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as net.AddressInfo).port, heard }
}
