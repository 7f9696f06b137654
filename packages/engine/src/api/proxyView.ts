import { ProxyType } from '../settings/proxyType.ts'
import type { Settings } from '../settings/settings.ts'

/**
 * A proxy (manual, proxy_settings): the settings `proxy*` under the names of libtorrent 0.15 and 1.0. What is left out in
 * `setProxy` is as by default.
 */
export interface ProxySettings {
  readonly type: ProxyType
  /** Name or address. */
  readonly hostname: string
  readonly port: number
  /** For the types that log in. */
  readonly username: string
  readonly password: string
  /** The proxy looks up the names of trackers, web seeds and DHT routers. */
  readonly proxyHostnames: boolean
  /** Peers and web seeds are connected to through it. */
  readonly proxyPeerConnections: boolean
  /** Trackers are asked through it (1.1). */
  readonly proxyTrackerConnections: boolean
}

const DEFAULTS: ProxySettings = {
  type: ProxyType.none,
  hostname: '',
  port: 0,
  username: '',
  password: '',
  proxyHostnames: true,
  proxyPeerConnections: true,
  proxyTrackerConnections: true,
}

export function proxyView(settings: Readonly<Settings>): ProxySettings {
  return {
    type: settings.proxyType,
    hostname: settings.proxyHostname,
    port: settings.proxyPort,
    username: settings.proxyUsername,
    password: settings.proxyPassword,
    proxyHostnames: settings.proxyHostnames,
    proxyPeerConnections: settings.proxyPeerConnections,
    proxyTrackerConnections: settings.proxyTrackerConnections,
  }
}

/** The settings that `proxy` stands for; what is wrong with them `applySettings` finds. */
export function proxyChanges(proxy: Partial<ProxySettings>): Partial<Settings> {
  const all = { ...DEFAULTS, ...proxy }
  if (all.type === ProxyType.i2pProxy) {
    throw new TypeError('an I2P router is no proxy for other torrents, and I2P torrents are not supported')
  }
  return {
    proxyType: all.type,
    proxyHostname: all.hostname,
    proxyPort: all.port,
    proxyUsername: all.username,
    proxyPassword: all.password,
    proxyHostnames: all.proxyHostnames,
    proxyPeerConnections: all.proxyPeerConnections,
    proxyTrackerConnections: all.proxyTrackerConnections,
  }
}
