import {
  AlertCategory,
  type Endpoint,
  type Entry,
  type IpFilter,
  type ListenFailedAlert,
  ProxyType,
  Session,
  type Settings,
} from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { type Listening, listenSettings } from '../options/listening.ts'
import type { Output } from '../output/output.ts'
import { reportI2p } from './reportI2p.ts'
import { reportProxy } from './reportProxy.ts'

/** Machines without IPv6, or without IPv4, listen on the other. */
const MISSING_FAMILY: readonly string[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

/**
 * Starts a session that listens as `listening` says. `dhtState` is what the DHT begins with, if it is on.
 * @throws CliError when the port that was asked for cannot be had
 */
export async function openSession(
  listening: Listening,
  peers: readonly Endpoint[],
  settings: Partial<Settings>,
  ipFilter: IpFilter | null,
  dhtState: Entry | null,
  output: Output,
): Promise<Session> {
  const addresses = peers.map((peer) => peer.address)
  const session = new Session({
    ...(ipFilter !== null && { ipFilter }),
    settings: {
      ...listenSettings(listening),
      allowMultipleConnectionsPerIp: new Set(addresses).size < addresses.length,
      // What the user says last counts.
      ...settings,
    },
  })
  if (dhtState !== null && session.settings().enableDht) session.startDht(dhtState)
  const failures: ListenFailedAlert[] = []
  session.on('listenFailed', (alert) => failures.push(alert))
  if (output.debug) {
    // The counters of each second would bury the rest.
    session.setAlertMask(0x7fffffff & ~AlertCategory.stats)
    session.on('alert', (alert) => output.trace(alert.message()))
  }
  await session.ready
  // The alerts about the sockets arrive within the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  const { port } = listening
  const fatal = failures.find((alert) => !MISSING_FAMILY.includes(alert.error.code))
  if (port !== null && fatal !== undefined) {
    await session.abort()
    throw new CliError(`Port ${port} cannot be listened on: ${reasonOf(fatal.error)}. Choose another with --port.`)
  }
  reportProxy(session, output)
  reportI2p(session, output)
  if (!session.isListening) warnOfSilence(session, listening, output)
  return session
}

/** Nothing is listened on: says what that means, unless it was asked for. */
function warnOfSilence(session: Session, { interfaces }: Listening, output: Output): void {
  const { proxy } = session
  const isProxied = proxy.type !== ProxyType.none
  // Behind a proxy nobody can connect to us.
  if (isProxied && proxy.proxyPeerConnections) return
  if (!isProxied && session.settings().forceProxy) {
    output.warn('Nothing may be connected to without a proxy (forceProxy), and there is none. Name one with --proxy.')
  } else if (interfaces.length > 0) {
    output.warn(
      `--interface ${interfaces.join(', ')}: this machine has no such device or address now. ` +
        'Until it has, there is no connection to anybody.',
    )
  } else output.warn('No port could be listened on: peers can only be connected to.')
}
