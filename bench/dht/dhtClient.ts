/** Our side of the DHT bench: a session, behind the line protocol of libtorrentDht.py, as far as the bench needs it. */
import { createInterface } from 'node:readline'
import { Session, Sha1Hash } from 'libtorrent-ts'

const UNLIMITED = 100_000_000
let session: Session

type Request = Readonly<Record<string, unknown>>
const say = (message: object) => console.log(JSON.stringify(message))

const commands: Readonly<Record<string, (request: Request) => object | Promise<object>>> = {
  start: async ({ port }) => {
    session = new Session({
      settings: {
        listenInterfaces: `127.0.0.1:${port}`,
        enableLsd: false,
        enableUpnp: false,
        enableNatpmp: false,
        dhtBootstrapNodes: '',
        dhtRestrictRoutingIps: false,
        dhtRestrictSearchIps: false,
        dhtPreferVerifiedNodeIds: false,
        dhtUploadRateLimit: UNLIMITED,
        dhtBlockRatelimit: UNLIMITED,
      },
    })
    await session.ready
    return { port: session.listenPort }
  },
  addNode: ({ port }) => {
    session.addDhtNode({ host: '127.0.0.1', port: Number(port) })
    return {}
  },
  nodes: () => ({ count: session.status().dhtNodes }),
  getItems: async ({ targets, parallel }) => {
    const waiting = [...(targets as string[])]
    let found = 0
    const begin = performance.now()
    const worker = async () => {
      for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) {
        if ((await session.dhtGetItem(Sha1Hash.fromHex(target))) !== null) found++
      }
    }
    await Promise.all(Array.from({ length: Number(parallel) }, worker))
    return { found, seconds: (performance.now() - begin) / 1000 }
  },
  quit: () => process.exit(0),
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const request: Request = JSON.parse(line)
    say({ ...(await commands[String(request.cmd)](request)), id: request.id, ok: true })
  })
  .on('close', () => process.exit(0))

say({ event: 'ready' })
