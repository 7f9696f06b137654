import { SimXml } from '../../../sim/simXml.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type {
  DefaultRoute,
  LocalNetwork,
  MulticastOptions,
  NetworkInterface,
} from '../../../src/platform/localNetwork.ts'
import type { UdpHandler, UdpSocket } from '../../../src/platform/udp.ts'
import { PortMapper } from '../../../src/portmap/portMapper.ts'
import type { PortMapped, PortmapFailed } from '../../../src/portmap/portMapperHost.ts'
import { DEFAULT_PORT_MAPPER_SETTINGS, type PortMapperSettings } from '../../../src/portmap/portMapperSettings.ts'
import { FakeHttp, FakeRandom, type FakeTime, FakeUdp, FakeTime as Time } from '../tracker/fakes.ts'

/** A network whose packets a test reads and forges. */
export class FakeLocalNetwork implements LocalNetwork {
  readonly sent: { readonly packet: Uint8Array; readonly to: Endpoint; readonly options: MulticastOptions }[] = []
  readonly sockets = new Map<UdpHandler, MulticastOptions>()
  addresses: readonly NetworkInterface[] = [{ name: 'eth0', address: '192.168.1.2', prefixLength: 24 }]
  routes: readonly DefaultRoute[] = [{ interfaceName: 'eth0', gateway: '192.168.1.1' }]
  /** What binding fails with. */
  error: LibtorrentError | null = null

  constructor(private readonly time: FakeTime) {}

  interfaces(): readonly NetworkInterface[] {
    return this.addresses
  }

  defaultRoutes(done: (routes: readonly DefaultRoute[]) => void): void {
    this.time.after(0, () => done(this.routes))
  }

  bindMulticast(
    options: MulticastOptions,
    handler: UdpHandler,
    done: (result: UdpSocket | LibtorrentError) => void,
  ): void {
    this.time.after(0, () => {
      if (this.error !== null) return done(this.error)
      this.sockets.set(handler, options)
      done({
        local: { address: options.networkInterface.address, port: options.port || 40_000 },
        send: (packet, to) => this.sent.push({ packet: packet.slice(), to, options }),
        close: () => this.sockets.delete(handler),
      })
    })
  }

  /** A packet arrives at all sockets with this port: 0 is the one that searches routers. */
  deliver(port: number, packet: Uint8Array | string, from: Endpoint): void {
    const bytes = typeof packet === 'string' ? Uint8Array.from(Buffer.from(packet, 'latin1')) : packet
    for (const [handler, options] of [...this.sockets]) if (options.port === port) handler.onPacket(bytes, from)
  }
}

/** A port mapper whose world a test plays. */
export function portmapScene(settings: Partial<PortMapperSettings> = {}) {
  const time = new Time()
  const platform = {
    time,
    clock: time,
    timers: time,
    random: new FakeRandom(),
    udp: new FakeUdp(time),
    http: new FakeHttp(time),
    localNetwork: new FakeLocalNetwork(time),
    xml: new SimXml(),
  }
  const mapped: PortMapped[] = []
  const failed: PortmapFailed[] = []
  const lines: string[] = []
  const addresses: string[] = []
  const mapper = new PortMapper({
    platform,
    settings: { ...DEFAULT_PORT_MAPPER_SETTINGS, ...settings },
    onPortMapped: (event) => mapped.push(event),
    onPortmapError: (event) => failed.push(event),
    wantsPortmapLog: () => true,
    onPortmapLog: (_transport, message) => lines.push(message),
    onExternalAddress: (address) => addresses.push(address),
  })
  return { ...platform, mapper, mapped, failed, lines, addresses }
}

export type PortmapScene = ReturnType<typeof portmapScene>

export function ssdpAnswer(location: string): string {
  return `HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: ${location}\r\nEXT:\r\n\r\n`
}

export function description(controlUrl = '/ctl', more = ''): string {
  return (
    `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">${more}<device><modelName>Acme</modelName>` +
    '<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>' +
    `<controlURL>${controlUrl}</controlURL></service></serviceList></device></root>`
  )
}

export function soap(body: string): string {
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`
}

export function fault(code: number | string): string {
  return soap(`<s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault>`)
}
