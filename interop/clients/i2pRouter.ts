import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Requirement } from '../cases/interopCase.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'

const PROGRAM = 'i2pd'
/** Lease sets of the first kind, which go with the first kind of encryption only. */
const FIRST_KIND = 'i2cp.leaseSetType=1 i2cp.leaseSetEncType=0'
/** Keys of a destination, before its certificate. */
const KEY_BYTES = 384

export const i2pRouterNeeds: Requirement = {
  name: PROGRAM,
  missing: async () => (findProgram(PROGRAM) === null ? PROGRAM : null),
  install: async () => aptInstall(PROGRAM),
}

/**
 * i2pd as a network of its own: it knows no other router and asks nobody for one, and tunnels have no hops. What two
 * destinations of it say to each other still takes every step that it takes elsewhere. It opens no connection, and listens
 * at 127.0.0.1 only.
 */
export class I2pRouter {
  private constructor(
    /** Port of the SAM bridge. */
    readonly port: number,
    /** Name of the destination behind which is what the router was started with. */
    readonly destination: string,
    private readonly owned: OwnedProcess,
    private readonly relay: Relay,
  ) {}

  /** `serverPort`: what others find behind `destination`. */
  static async start(workDir: string, serverPort: number): Promise<I2pRouter> {
    const directory = join(workDir, 'i2pd')
    mkdirSync(directory, { recursive: true })
    const [samPort, peerPort] = [await freePort(), await freePort()]
    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content)
      return join(directory, name)
    }
    const configuration = file('i2pd.conf', routerConfiguration(samPort, peerPort))
    const tunnels = file('tunnels.conf', tunnelConfiguration(serverPort))
    const program = findProgram(PROGRAM) ?? PROGRAM
    const command = [program, `--datadir=${directory}`, `--conf=${configuration}`, `--tunconf=${tunnels}`]
    const owned = OwnedProcess.start(PROGRAM, [...command, `--tunnelsdir=${join(directory, 'none')}`], {
      log: join(workDir, 'i2pd.log'),
    })
    const keys = join(directory, 'server.dat')
    await waitUntil(10_000, 'i2pd listening', () => isListening(samPort) && existsSync(keys), 20)
    const relay = await Relay.start(samPort)
    return new I2pRouter(relay.port, base32Name(readFileSync(keys)), owned, relay)
  }

  async stop(): Promise<void> {
    this.relay.close()
    // It ends by itself only when its tunnels are gone.
    await this.owned.kill()
  }
}

/**
 * The way to the bridge, on which sessions are made to publish lease sets of the first kind: i2pd 2.45 cannot read those of
 * newer kinds that it has published to itself, which happens in a network of one router only.
 */
class Relay {
  private readonly sockets = new Set<Socket>()

  private constructor(
    readonly port: number,
    private readonly server: Server,
  ) {}

  static async start(samPort: number): Promise<Relay> {
    const server = createServer()
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const relay = new Relay(port, server)
    server.on('connection', (client) => relay.join(client, connect(samPort, '127.0.0.1')))
    return relay
  }

  close(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  private join(client: Socket, bridge: Socket): void {
    for (const [socket, other] of [
      [client, bridge],
      [bridge, client],
    ]) {
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.sockets.delete(socket)
        other.destroy()
      })
    }
    bridge.pipe(client)
    // A line at a time is said until the bridge has answered.
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (text.startsWith('SESSION CREATE '))
        bridge.write(text.replace(/i2cp\.leaseSetEncType=\S+/, FIRST_KIND), 'latin1')
      else bridge.write(chunk)
    })
    client.on('end', () => bridge.end())
  }
}

function routerConfiguration(samPort: number, peerPort: number): string {
  return `log = stdout
loglevel = warn
netid = 99
host = 127.0.0.1
address4 = 127.0.0.1
port = ${peerPort}
ipv4 = true
ipv6 = false
nat = false
floodfill = true
[ntcp2]
enabled = true
published = true
port = ${peerPort}
[ssu2]
enabled = false
published = false
[reseed]
verify = true
threshold = 0
urls =
yggurls =
[addressbook]
enabled = true
defaulturl =
subscriptions =
[http]
enabled = false
[httpproxy]
enabled = false
[socksproxy]
enabled = false
[sam]
enabled = true
address = 127.0.0.1
port = ${samPort}
[nettime]
enabled = false
frompeers = false
[upnp]
enabled = false
[persist]
profiles = false
addressbook = false
`
}

function tunnelConfiguration(serverPort: number): string {
  return `[server]
type = server
host = 127.0.0.1
port = ${serverPort}
keys = server.dat
signaturetype = 7
inbound.length = 0
outbound.length = 0
inbound.quantity = 1
outbound.quantity = 1
i2cp.leaseSetType = 1
i2cp.leaseSetEncType = 0
`
}

/** Of a destination that lies before its private keys. */
function base32Name(keys: Uint8Array): string {
  const certificateBytes = new DataView(keys.buffer, keys.byteOffset).getUint16(KEY_BYTES + 1)
  const hash = createHash('sha256')
    .update(keys.subarray(0, KEY_BYTES + 3 + certificateBytes))
    .digest()
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const digits = bits.match(/.{1,5}/g) ?? []
  return `${digits.map((digit) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(digit.padEnd(5, '0'), 2)]).join('')}.b32.i2p`
}
