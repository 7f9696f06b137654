import type { Endpoint } from '../src/address/endpoint.ts'
import type { LocalNetwork, NetworkInterface } from '../src/platform/localNetwork.ts'
import type { UdpSocket } from '../src/platform/udp.ts'
import { fromUtf8, utf8 } from '../src/util/bytes.ts'
import type { SimRouter } from './simRouter.ts'
import type { SimWeb, WebReply, WebRequest } from './simWeb.ts'

const PORT = 5000

/** The UPnP gateway of a simulated router. */
export class SimIgd {
  private readonly service: string
  private socket: UdpSocket | null = null

  constructor(
    private readonly router: SimRouter,
    web: SimWeb,
    network: LocalNetwork,
    networkInterface: NetworkInterface,
  ) {
    this.service = `urn:schemas-upnp-org:service:WANIPConnection:${router.options.igd ?? 1}`
    const options = { networkInterface, group: '239.255.255.250', port: 1900, ttl: 2 }
    network.bindMulticast(options, { onPacket: (packet, from) => this.onSearch(packet, from), onError() {} }, () => {})
    network.bindMulticast({ ...options, group: null, port: 0 }, { onPacket() {}, onError() {} }, (socket) => {
      if ('code' in socket) throw socket
      this.socket = socket
    })
    web.serve(this.origin, router.host, (request) => this.respond(request))
  }

  private get origin(): string {
    return `http://${this.router.host.address}:${PORT}`
  }

  private onSearch(packet: Uint8Array, from: Endpoint): void {
    const target = /^ST: *(.*?)\r$/m.exec(fromUtf8(packet))?.[1]
    if (!this.router.on || target === undefined) return
    const lines = ['HTTP/1.1 200 OK', 'EXT:', `ST: ${target}`, `LOCATION: ${this.origin}/rootDesc.xml`, '', '']
    this.socket?.send(utf8(lines.join('\r\n')), from)
  }

  private respond({ path, body, headers, from }: WebRequest): WebReply {
    if (body === null)
      return { body: this.router.options.description?.replace('%', this.service) ?? this.description() }
    if (path !== '/ctl') return { status: 404 }
    const action = headers.soapaction.slice(headers.soapaction.indexOf('#') + 1, -1)
    return this.act(action, fromUtf8(body), from)
  }

  private description(): string {
    return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
      <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
      <modelName>${this.router.options.model ?? 'SimRouter'}</modelName>
      <deviceList><device><serviceList>
        <service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
          <controlURL>/l3</controlURL></service>
        <service><serviceType>${this.service}</serviceType><controlURL>/ctl</controlURL></service>
      </serviceList></device></deviceList></device></root>`
  }

  private act(action: string, body: string, from: string): WebReply {
    const { router } = this
    const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? ''
    const protocol = field('NewProtocol').toLowerCase() as 'tcp' | 'udp'
    const port = Number(field('NewExternalPort'))
    router.requests.push(`${action} ${protocol} ${port || ''}`.trim())
    switch (action) {
      case 'GetExternalIPAddress':
        return this.answer(action, `<NewExternalIPAddress>${router.externalAddress}</NewExternalIPAddress>`)
      case 'DeletePortMapping':
        return router.remove(protocol, port) ? this.answer(action) : fault(714)
      case 'AddAnyPortMapping':
        if (router.options.igd !== 2) return fault(401)
        break
      case 'AddPortMapping':
        break
      default:
        return fault(401)
    }
    const client = field('NewInternalClient')
    const localPort = Number(field('NewInternalPort'))
    const lifetime = Number(field('NewLeaseDuration'))
    if (client !== from) return fault(606)
    if (router.options.permanentOnly && lifetime !== 0) return fault(725)
    let externalPort = port
    while (!router.isFree(protocol, externalPort, client, localPort)) {
      if (action === 'AddPortMapping') return fault(718)
      externalPort++
    }
    const description = field('NewPortMappingDescription')
    router.put({ protocol, externalPort, client, localPort, description, lifetime, nonce: '' })
    return this.answer(action, action === 'AddPortMapping' ? '' : `<NewReservedPort>${externalPort}</NewReservedPort>`)
  }

  private answer(action: string, values = ''): WebReply {
    return xml(200, `<u:${action}Response xmlns:u="${this.service}">${values}</u:${action}Response>`)
  }
}

function fault(code: number): WebReply {
  return xml(
    500,
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>` +
      `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode>` +
      `<errorDescription>Refused</errorDescription></UPnPError></detail></s:Fault>`,
  )
}

function xml(status: number, body: string): WebReply {
  const envelope = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`
  return { status, headers: { 'content-type': 'text/xml; charset="utf-8"' }, body: envelope }
}
