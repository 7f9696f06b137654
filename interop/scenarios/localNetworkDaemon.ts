/**
 * Our port mapper and local discovery on this machine's real network, commanded by lines of JSON (lib/lineDaemon.ts).
 * Leases have the seconds that LEASE says.
 */
import { createInterface } from 'node:readline'
import type { Endpoint } from '../../packages/engine/src/address/endpoint.ts'
import { LocalDiscovery } from '../../packages/engine/src/lsd/localDiscovery.ts'
import { DEFAULT_LSD_SETTINGS } from '../../packages/engine/src/lsd/lsdSettings.ts'
import { nodePlatform } from '../../packages/engine/src/node/nodePlatform.ts'
import { PortMapper } from '../../packages/engine/src/portmap/portMapper.ts'
import { DEFAULT_PORT_MAPPER_SETTINGS } from '../../packages/engine/src/portmap/portMapperSettings.ts'
import { Sha1Hash } from '../../packages/engine/src/util/digest.ts'

const settings = {
  ...DEFAULT_PORT_MAPPER_SETTINGS,
  upnpLeaseDuration: Number(process.env.LEASE ?? 3600),
  natpmpLeaseDuration: Number(process.env.LEASE ?? 3600),
}
const platform = nodePlatform()

type Request = Readonly<Record<string, unknown>>

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

function tell(event: string, details: object): void {
  say({ event, ...details })
}

const mapper = new PortMapper({
  platform,
  settings,
  onPortMapped: ({ mapping, transport, externalPort, externalAddress, localAddress }) =>
    tell('mapped', { index: mapping.index, transport, externalPort, externalAddress, localAddress }),
  onPortmapError: ({ mapping, transport, error }) =>
    tell('failed', { index: mapping.index, transport, code: error.code, message: error.message }),
  wantsPortmapLog: () => true,
  onPortmapLog: (transport, message) => tell('log', { transport, message }),
  onExternalAddress: (address, router, transport) => tell('address', { address, router, transport }),
})

const lsd = new LocalDiscovery({
  platform,
  settings: DEFAULT_LSD_SETTINGS,
  listenPort: () => Number(process.env.LISTEN_PORT ?? 6881),
  onLocalPeer: (infoHash: Sha1Hash, peer: Endpoint) => tell('peer', { infoHash: infoHash.toHex(), ...peer }),
  onLocalDiscoveryError: (address, error) => tell('lsdFailed', { address, message: error.message }),
})

const commands: Readonly<Record<string, (request: Request) => object | undefined | Promise<object>>> = {
  startUpnp: () => void mapper.startUpnp(),
  startNatpmp: () => void mapper.startNatpmp(),
  stop: () => new Promise<object>((resolve) => mapper.stop(() => resolve({}))),
  add: ({ protocol, port }) => ({
    index: mapper.addMapping(protocol === 'udp' ? 'udp' : 'tcp', Number(port), Number(port)),
  }),
  remove: ({ index }) => void mapper.deleteMapping(Number(index)),
  model: () => ({ model: mapper.routerModel }),
  startLsd: () => void lsd.start(),
  announce: ({ infoHash }) => void lsd.add(Sha1Hash.fromHex(String(infoHash))),
  quit: () => process.exit(),
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const request: Request = JSON.parse(line)
    const details = await commands[String(request.cmd)](request)
    say({ ...details, id: request.id, ok: true })
  })
  .on('close', () => process.exit())

say({ event: 'ready' })
