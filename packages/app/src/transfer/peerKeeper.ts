import { isIP } from 'node:net'
import type { Endpoint, Session, TorrentHandle } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { type HostAndPort, hostAndPortText, resolveHost } from '../options/hostAndPort.ts'
import { isI2pHost } from '../options/i2pOptions.ts'
import type { Network } from '../options/proxyOptions.ts'
import type { Output } from '../output/output.ts'

/** A peer named on the command line is tried this often, however often it failed. */
const RETRY_INTERVAL_MS = 5000

/** A peer as its user named it, and all addresses of that name: one of them is enough. */
export interface NamedPeer {
  readonly name: string
  readonly endpoints: readonly Endpoint[]
}

/** @throws CliError when a name is not known, or would have to be told to a name server although a proxy hides names */
export function resolvePeers(peers: readonly HostAndPort[], { proxy, isForced }: Network): Promise<NamedPeer[]> {
  const named = peers.find(({ host }) => isIP(host) === 0 && !isI2pHost(host))
  if (named !== undefined && (isForced || proxy?.resolvesNames)) {
    const message = `--peer ${named.host}: names are kept from name servers here. Give the address of the peer.`
    return Promise.reject(new CliError(message))
  }
  return Promise.all(peers.map(namedPeer))
}

async function namedPeer(peer: HostAndPort): Promise<NamedPeer> {
  const { host, port } = peer
  // The router knows it, or looks it up.
  if (isI2pHost(host)) return { name: host, endpoints: [{ address: host, port }] }
  return { name: hostAndPortText(peer), endpoints: await resolveHost(peer) }
}

/** Keeps a torrent connected to the peers its user named, and says so when one cannot be reached. */
export class PeerKeeper {
  /** Why each address could not be connected to. */
  private readonly failures = new Map<string, string>()
  private readonly complaints = new Set<string>()
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly handle: TorrentHandle,
    private readonly peers: readonly NamedPeer[],
    private readonly output: Output,
  ) {}

  start(session: Session): void {
    if (this.peers.length === 0) return
    session.on('peerDisconnected', ({ endpoint, pid, error }) => {
      if (error.operation === 'connect') this.onFailure(keyOf(endpoint), reasonOf(error))
      else if (error.code === 'EOF' && pid.every((byte) => byte === 0)) this.onRefusal(keyOf(endpoint))
    })
    this.timer = setInterval(() => this.connect(), RETRY_INTERVAL_MS)
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
  }

  private connect(): void {
    if (!this.handle.isValid || this.handle.isPaused) return
    const connected = new Set(this.handle.getPeerInfo().map((peer) => keyOf(peer.ip)))
    for (const { endpoints } of this.peers) {
      if (endpoints.some((endpoint) => connected.has(keyOf(endpoint)))) continue
      for (const endpoint of endpoints) this.handle.connectPeer(endpoint)
    }
  }

  private onFailure(address: string, reason: string): void {
    this.failures.set(address, reason)
    for (const { name, endpoints } of this.peers) {
      const keys = endpoints.map(keyOf)
      if (keys.includes(address) && keys.every((key) => this.failures.has(key)))
        this.complain(name, `cannot be connected to: ${reason}`)
    }
  }

  /** It answered, and left before its handshake: what clients do that do not have the torrent. */
  private onRefusal(address: string): void {
    for (const { name, endpoints } of this.peers) {
      if (endpoints.some((endpoint) => keyOf(endpoint) === address)) {
        this.complain(name, 'closed the connection at once: perhaps it does not have this torrent')
      }
    }
  }

  /** Once for each peer and reason. */
  private complain(peer: string, what: string): void {
    const complaint = `${peer} ${what}`
    if (this.complaints.has(complaint)) return
    this.complaints.add(complaint)
    this.output.warn(`${complaint}. Trying again every ${RETRY_INTERVAL_MS / 1000} seconds.`, { peer })
  }
}

function keyOf({ address, port }: Endpoint): string {
  return hostAndPortText({ host: address, port })
}
