import { thrownError } from '../errors/libtorrentError.ts'
import type { Settings } from '../settings/settings.ts'
import { AlertingSession } from './alertingSession.ts'

/** What of `Session` is about settings: all of them, and those with methods of their own, sockets and limits. */
export abstract class ConfiguredSession extends AlertingSession {
  /** The settings as they are: a copy. */
  settings(): Settings {
    return { ...this.core.settings }
  }

  /**
   * Changes settings while running; resolves when they are in effect, listen sockets included.
   * @throws TypeError for an unknown name or a wrong type, RangeError for a value out of range; then none is changed
   */
  applySettings(changes: Partial<Settings>): Promise<void> {
    return new Promise((resolve) => {
      this.core.applySettings(changes, resolve)
      if (changes.alertMask !== undefined) this.hub.mask = changes.alertMask
    })
  }

  /** The manual's name of `applySettings`. */
  setSettings(settings: Partial<Settings>): Promise<void> {
    return this.applySettings(settings)
  }

  /**
   * Listens on the first free port of the range, on one address or (default) on all (manual, listen_on).
   * Rejects with `listenFailed`'s error when no port is free.
   */
  async listenOn(portRange: readonly [number, number], listenInterface?: string): Promise<void> {
    const [first, last] = portRange
    const host = listenInterface?.includes(':') ? `[${listenInterface}]` : listenInterface
    const listenInterfaces = host === undefined ? `0.0.0.0:${first},[::]:${first}` : `${host}:${first}`
    await this.applySettings({
      listenInterfaces,
      maxRetryPortBind: Math.max(0, last - first),
      listenSystemPortFallback: false,
    })
    if (!this.isListening) throw thrownError('portBlocked', { message: `no port of ${first} to ${last} is free` })
  }

  /** Whether at least one listen socket is open. */
  get isListening(): boolean {
    return this.core.listenSockets.isListening
  }

  /** The port peers reach us at, 0 when we do not listen. */
  get listenPort(): number {
    return this.core.listenPort
  }

  /** The port peers of SSL torrents reach us at, 0 when there is none (1.0, ssl_listen_port; setting `sslListen`). */
  get sslListenPort(): number {
    return this.core.sslListenPort
  }

  /** Our peer id, 20 bytes. */
  get id(): Uint8Array {
    return this.core.peerId.slice()
  }

  /** Connections over all torrents. */
  get numConnections(): number {
    return this.core.numConnections
  }

  /** Peers that are unchoked. */
  get numUploads(): number {
    return this.core.unchoker.numUploads
  }

  /** Most connections over all torrents, at least 2. Those beyond it end at once, the least useful first. */
  setMaxConnections(limit: number): void {
    this.core.applySettings({ connectionsLimit: Math.max(2, limit) }, () => {})
  }

  /** What `setMaxConnections` set. */
  get maxConnections(): number {
    return this.core.settings.connectionsLimit
  }

  /** Most connections that are being opened at a time, -1 for no limit (setting `halfOpenLimit`). */
  setMaxHalfOpenConnections(limit: number): void {
    this.core.applySettings({ halfOpenLimit: Math.max(0, limit) }, () => {})
  }

  /** What `setMaxHalfOpenConnections` set. */
  get maxHalfOpenConnections(): number {
    return this.core.settings.halfOpenLimit || -1
  }

  /** Upload slots over all torrents, -1 for no limit. */
  setMaxUploads(limit: number): void {
    this.core.applySettings({ unchokeSlotsLimit: limit }, () => {})
  }

  /** What `setMaxUploads` set. */
  get maxUploads(): number {
    return this.core.settings.unchokeSlotsLimit
  }

  // --- how fast ------------------------------------------------------------------------------------------------

  /**
   * How fast to upload over all torrents, bytes a second; 0 or -1 for no limit (setting `uploadRateLimit`). It holds from
   * now on. Peers of the local network are exempt unless the setting `ignoreLimitsOnLocalNetwork` is false.
   */
  setUploadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ uploadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setUploadRateLimit` set; 0 for no limit. */
  get uploadRateLimit(): number {
    return Math.max(0, this.core.settings.uploadRateLimit)
  }

  /** As `setUploadRateLimit`, for what peers and web seeds send us (setting `downloadRateLimit`). */
  setDownloadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ downloadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setDownloadRateLimit` set; 0 for no limit. */
  get downloadRateLimit(): number {
    return Math.max(0, this.core.settings.downloadRateLimit)
  }

  /**
   * How fast to upload to peers of the local network while they are exempt from the other limits, bytes a second; 0 or -1
   * for no limit (setting `localUploadRateLimit`).
   */
  setLocalUploadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ localUploadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setLocalUploadRateLimit` set; 0 for no limit. */
  get localUploadRateLimit(): number {
    return Math.max(0, this.core.settings.localUploadRateLimit)
  }

  /** As `setLocalUploadRateLimit`, for what these peers send us (setting `localDownloadRateLimit`). */
  setLocalDownloadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ localDownloadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setLocalDownloadRateLimit` set; 0 for no limit. */
  get localDownloadRateLimit(): number {
    return Math.max(0, this.core.settings.localDownloadRateLimit)
  }
}
