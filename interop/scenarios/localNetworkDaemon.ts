/**
 * Our port mapper and local discovery on this machine's real network, for a scenario to command: one line of JSON a
 * command on standard input, one line of JSON an event on standard output. Ends with its input.
 */
import { createInterface } from 'node:readline'
import type { Endpoint } from '../../packages/engine/src/address/endpoint.ts'
import { LocalDiscovery } from '../../packages/engine/src/lsd/localDiscovery.ts'
import { DEFAULT_LSD_SETTINGS } from '../../packages/engine/src/lsd/lsdSettings.ts'
import { nodePlatform } from '../../packages/engine/src/node/nodePlatform.ts'
import { PortMapper } from '../../packages/engine/src/portmap/portMapper.ts'
import { DEFAULT_PORT_MAPPER_SETTINGS } from '../../packages/engine/src/portmap/portMapperSettings.ts'
import { Sha1Hash } from '../../packages/engine/src/util/digest.ts'

type Command =
  | { readonly do: 'startUpnp' | 'startNatpmp' | 'stopUpnp' | 'stopNatpmp' | 'startLsd' | 'stopLsd' }
  | { readonly do: 'add'; readonly protocol: 'tcp' | 'udp'; readonly externalPort: number; readonly localPort: number }
  | { readonly do: 'delete'; readonly index: number }
  | { readonly do: 'announce'; readonly infoHash: string }
  | { readonly do: 'model' }

const settings = {
  ...DEFAULT_PORT_MAPPER_SETTINGS,
  upnpLeaseDuration: Number(process.env.LEASE ?? 3600),
  natpmpLeaseDuration: Number(process.env.LEASE ?? 3600),
}
const platform = nodePlatform()

function tell(event: string, details: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...details })}\n`)
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

function obey(command: Command): void {
  switch (command.do) {
    case 'startUpnp':
      return mapper.startUpnp()
    case 'startNatpmp':
      return mapper.startNatpmp()
    case 'stopUpnp':
      return mapper.stopUpnp(() => tell('stopped'))
    case 'stopNatpmp':
      return mapper.stopNatpmp(() => tell('stopped'))
    case 'startLsd':
      return lsd.start()
    case 'stopLsd':
      return lsd.stop()
    case 'add':
      return tell('added', { index: mapper.addMapping(command.protocol, command.externalPort, command.localPort) })
    case 'delete':
      return mapper.deleteMapping(command.index)
    case 'announce':
      return lsd.add(Sha1Hash.fromHex(command.infoHash))
    case 'model':
      return tell('model', { model: mapper.routerModel })
  }
}

const input = createInterface({ input: process.stdin })
input.on('line', (line) => obey(JSON.parse(line)))
input.on('close', () => process.exit())
tell('ready')
