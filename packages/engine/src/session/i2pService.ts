import type { AlertSink } from '../alerts/alertSink.ts'
import { I2pAlert } from '../alerts/sessionAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { I2pHttp } from '../i2p/i2pHttp.ts'
import { I2pSession } from '../i2p/i2pSession.ts'
import type { HttpClient } from '../platform/http.ts'
import type { Platform } from '../platform/platform.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Torrent } from '../torrent/torrent.ts'
import type { I2pTrackerWay } from '../tracker/i2pTracker.ts'

export interface I2pServiceHost {
  readonly platform: Platform
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly torrents: { values(): Iterable<Torrent> }
  onIncoming(stream: Stream): void
}

/** I2P for the session: one session with the router while the settings name one, and what torrents have of it. */
export class I2pService implements I2pTrackerWay {
  /** For trackers in I2P. */
  readonly http: HttpClient
  private readonly session: I2pSession

  constructor(host: I2pServiceHost) {
    const { tcp, resolver, clock, timers, random } = host.platform
    this.session = new I2pSession({
      tcp,
      resolver,
      clock,
      timers,
      random,
      settings: host.settings,
      onI2pStream: (stream) => host.onIncoming(stream),
      onI2pReady: () => {
        for (const torrent of host.torrents.values()) torrent.onI2pReady()
      },
      onI2pError: (error) => {
        if (host.alerts.wants(I2pAlert.category)) host.alerts.post(new I2pAlert({ error }))
      },
    })
    this.http = new I2pHttp({ timers, connect: (name, handler) => this.session.connect(name, handler) })
    this.session.update()
  }

  get destination(): string | null {
    return this.session.destination
  }

  /** The base 32 name of our destination; null while there is no session. */
  get address(): string | null {
    return this.session.address
  }

  get noSession(): LibtorrentError {
    return this.session.noSession()
  }

  /** Begins to connect to a peer; `handler.onConnected` or `onClosed` follows, later. */
  connect(address: string, handler: StreamHandler): Stream {
    return this.session.connect(address, handler)
  }

  onSettingsChanged(): void {
    this.session.update()
  }

  close(): void {
    this.session.close()
  }
}
