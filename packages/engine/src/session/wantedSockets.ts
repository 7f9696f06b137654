import type { NetworkInterface } from '../platform/localNetwork.ts'
import type { Settings } from '../settings/settings.ts'
import { settingsTable } from '../settings/settingsTable.ts'
import {
  type ListenEndpoint,
  type ListenInterface,
  listenEndpoints,
  parseListenInterfaces,
} from './listenInterfaces.ts'

export interface WantedSocketsParams {
  readonly settings: Readonly<Pick<Settings, 'listenInterfaces' | 'sslListen'>>
  readonly present: readonly NetworkInterface[]
  /** There is a torrent that peers reach by TLS only. */
  readonly hasSslTorrent: boolean
}

/** Where a session should listen: what `listen_interfaces` names, and the same places for SSL torrents (`ssl_listen`). */
export function wantedSockets({ settings, present, hasSslTorrent }: WantedSocketsParams): ListenEndpoint[] {
  const interfaces = parseListenInterfaces(settings.listenInterfaces)
  return listenEndpoints([...interfaces, ...sslInterfaces(interfaces, settings.sslListen, hasSslTorrent)], present)
}

/**
 * Who names SSL sockets in `listen_interfaces`, or a port for them, has them at once. The default port, which most sessions
 * have no use for, is opened with the first SSL torrent.
 */
function sslInterfaces(
  interfaces: readonly ListenInterface[],
  port: number,
  hasSslTorrent: boolean,
): ListenInterface[] {
  const isAskedFor = port !== settingsTable.sslListen.default
  if (port === 0 || interfaces.some(({ ssl }) => ssl) || !(hasSslTorrent || isAskedFor)) return []
  return interfaces.map((each) => ({ ...each, port, ssl: true }))
}
