import type { Endpoint } from '../src/address/endpoint.ts'
import { ProxyServer, type ProxyServerOptions } from './proxyServer.ts'
import type { SimHost } from './simHost.ts'
import type { SimNames } from './simNames.ts'
import type { SimNetwork } from './simNetwork.ts'
import { SimProcess } from './simProcess.ts'
import { SimResolver } from './simResolver.ts'
import { SimTcp } from './simTcp.ts'
import { SimUdp } from './simUdp.ts'

/** A proxy on a host of a world: makes connections, and sends packets, from there. */
export class SimProxy extends ProxyServer {
  readonly port: number

  constructor(
    network: SimNetwork,
    readonly host: SimHost,
    names: SimNames,
    options: ProxyServerOptions,
  ) {
    const process = new SimProcess(network, host)
    const resolver = new SimResolver(process, names)
    super({ tcp: new SimTcp(process), udp: new SimUdp(process), resolver, address: host.address }, options)
    this.port = options.port ?? 1080
  }

  get endpoint(): Endpoint {
    return { address: this.host.address, port: this.port }
  }
}
