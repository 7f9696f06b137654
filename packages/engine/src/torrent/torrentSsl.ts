import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { TorrentErrorAlert, TorrentNeedCertAlert } from '../alerts/torrentAlerts.ts'
import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { isSslSocket, type SocketType } from '../platform/socketType.ts'
import type { TlsClientOptions, TlsContext, TlsIdentity } from '../platform/tls.ts'
import { coversTorrent } from '../ssl/coversTorrent.ts'
import { serverNameOf } from '../ssl/serverName.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentHost } from './torrentHost.ts'

export interface TorrentSslHost {
  readonly session: Pick<
    TorrentHost,
    'tls' | 'listenPort' | 'sslListenPort' | 'announceEndpoints' | 'sslAnnounceEndpoints' | 'needsSsl'
  >
  readonly infoHash: Sha1Hash
  readonly info: TorrentInfo
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly swarm: Swarm
  fail(error: LibtorrentError): void
  /** Servers are shown another certificate from now on, `serverTls`. */
  onCredentialsChanged(): void
}

type State =
  /** No SSL torrent, as far as is known. */
  | { readonly name: 'plain' }
  /** Its root certificate is none: nobody can ever be let in. */
  | { readonly name: 'unusable' }
  /** `trust`: the root certificate alone, for servers. */
  | { readonly name: 'needsCertificate'; readonly root: string; readonly trust: TlsContext }
  | { readonly name: 'ready'; readonly root: string; readonly tls: TlsClientOptions }

const PLAIN: State = { name: 'plain' }
const UNUSABLE: State = { name: 'unusable' }

/**
 * What makes a torrent an SSL torrent (manual, SSL torrents): its peers speak TLS only, and both show certificates that
 * the root certificate in the info dictionary has signed. It is announced with the port of the SSL listen sockets. Its https
 * trackers and web seeds must have certificates of the same root, and are shown ours.
 */
export class TorrentSsl {
  private state: State = PLAIN

  constructor(private readonly host: TorrentSslHost) {}

  /** Peers are connected by TLS only. */
  get isSslTorrent(): boolean {
    return this.state.name !== 'plain'
  }

  /** Peers can be connected: an SSL torrent needs a certificate first. */
  get isReady(): boolean {
    return this.state.name === 'plain' || this.state.name === 'ready'
  }

  /** How its connections are secured, those that are opened and those that are accepted; null: by nothing, or there can be none. */
  get tls(): TlsClientOptions | null {
    return this.state.name === 'ready' ? this.state.tls : null
  }

  /**
   * Whom https trackers and web seeds must be vouched for by, and what they are shown: our certificate, if there is one.
   * Undefined: no SSL torrent, the authorities that the system trusts.
   */
  get serverTls(): TlsContext | undefined {
    const { state } = this
    if (state.name === 'ready') return state.tls.context
    return state.name === 'needsCertificate' ? state.trust : undefined
  }

  /** The port its peers reach us at, 0: none. */
  get listenPort(): number {
    const { session } = this.host
    return this.isSslTorrent ? session.sslListenPort : session.listenPort
  }

  /** The listen sockets its peers reach us at. */
  get announceEndpoints(): readonly Endpoint[] {
    const { session } = this.host
    return this.isSslTorrent ? session.sslAnnounceEndpoints : session.announceEndpoints
  }

  /** Whether a connection is of the kind the torrent wants. */
  admits(type: SocketType): boolean {
    return isSslSocket(type) === this.isSslTorrent
  }

  /** plain -> needsCertificate or unusable, if the info dictionary, which is known now, says so. */
  onMetadata(): void {
    const { host } = this
    const root = host.info.sslCert
    if (root === '' || this.isSslTorrent) return
    const trust = host.session.tls.newContext(root, null)
    const error = trust instanceof LibtorrentError ? trust : null
    this.state = trust instanceof LibtorrentError ? UNUSABLE : { name: 'needsCertificate', root, trust }
    host.session.needsSsl()
    // Whoever gave us the metadata without TLS may give it, but nothing else.
    host.swarm.closeAll('requiresSslConnection')
    if (error !== null) return host.fail(error)
    if (host.alerts.wants(TorrentNeedCertAlert.category))
      host.alerts.post(new TorrentNeedCertAlert({ handle: host.ref }))
  }

  /** needsCertificate or ready -> ready. Returns what is wrong with the certificate, and then nothing has changed. */
  setCertificate(identity: TlsIdentity): LibtorrentError | null {
    const { host, state } = this
    if (state.name === 'plain') return this.refuse(libtorrentError('notAnSslTorrent'))
    if (state.name === 'unusable') {
      return this.refuse(invalidCertificate('the root certificate of the torrent is none: peers cannot be verified'))
    }
    const context = host.session.tls.newContext(state.root, identity)
    if (context instanceof LibtorrentError) return this.refuse(context)
    const { name } = host.info
    if (!coversTorrent(context.names, name)) {
      return this.refuse(
        invalidCertificate(`the certificate is for another torrent: none of its names is ${name}, or *`),
      )
    }
    this.state = { name: 'ready', root: state.root, tls: this.tlsOf(context) }
    host.swarm.wantConnections()
    host.onCredentialsChanged()
    return null
  }

  /** Something about the certificate cannot be right; says so as libtorrent does. */
  refuse(error: LibtorrentError): LibtorrentError {
    const { alerts, ref } = this.host
    if (alerts.wants(TorrentErrorAlert.category)) alerts.post(new TorrentErrorAlert({ handle: ref, error }))
    return error
  }

  private tlsOf(context: TlsContext): TlsClientOptions {
    const { infoHash, info } = this.host
    return {
      context,
      serverName: serverNameOf(infoHash),
      verify: (names) => coversTorrent(names, info.name),
    }
  }
}

function invalidCertificate(message: string): LibtorrentError {
  return libtorrentError('invalidSslCert', { message: `invalid SSL certificate: ${message}` })
}
