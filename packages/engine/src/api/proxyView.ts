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
    throw new TypeError('an I2P router is no proxy for other torrents: name it by setI2pProxy')
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

/** The I2P router, as a proxy; its type is always `i2pProxy`. */
export function i2pProxyView({ i2pHostname: hostname, i2pPort: port }: Readonly<Settings>): ProxySettings {
  return { ...DEFAULTS, type: ProxyType.i2pProxy, hostname, port }
}

/** The settings that an I2P router stands for; without a name there is none. */
export function i2pProxyChanges({ type, hostname = '', port = 0 }: Partial<ProxySettings>): Partial<Settings> {
  if (type !== undefined && type !== ProxyType.i2pProxy && type !== ProxyType.none) {
    throw new TypeError('setI2pProxy takes an I2P router: name other proxies by setProxy')
  }
  return type === ProxyType.none ? { i2pHostname: '', i2pPort: 0 } : { i2pHostname: hostname, i2pPort: port }
}
