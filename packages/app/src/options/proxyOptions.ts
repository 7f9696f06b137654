import { applySettings, defaultSettings, type ProxyRoute, proxyRouteOf, type Settings } from 'libtorrent-ts'
import { type I2pOptions, i2pSettings } from './i2pOptions.ts'

/** Through what connections are made; options as commander gives them. */
export interface ProxyOptions extends I2pOptions {
  readonly proxy?: Partial<Settings>
  readonly anonymous?: boolean
}

export function proxyOptionSettings(options: ProxyOptions): Partial<Settings> {
  const { proxy, anonymous } = options
  // Whoever wants to stay unknown does not tell a name server either.
  return { ...proxy, ...(anonymous && { anonymousMode: true, proxyHostnames: true }), ...i2pSettings(options) }
}

/** How what the command does without a session reaches the world. */
export interface Network {
  readonly proxy: ProxyRoute | null
  /** Nothing leaves but through a proxy. */
  readonly isForced: boolean
  readonly isAnonymous: boolean
  /** Addresses and devices that everything leaves by; empty: any. */
  readonly interfaces: readonly string[]
}

/** No proxy. */
export const DIRECT: Network = { proxy: null, isForced: false, isAnonymous: false, interfaces: [] }

export function networkOf(changes: Partial<Settings>, interfaces: readonly string[] = []): Network {
  const settings = defaultSettings()
  applySettings(settings, changes)
  return {
    proxy: proxyRouteOf(settings),
    isForced: settings.forceProxy,
    isAnonymous: settings.anonymousMode,
    interfaces,
  }
}
