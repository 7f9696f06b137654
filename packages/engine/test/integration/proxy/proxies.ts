import { ProxyServer, type ProxyServerOptions } from '../../../sim/proxyServer.ts'
import { NodeResolver } from '../../../src/node/nodeResolver.ts'
import { NodeTcp } from '../../../src/node/nodeTcp.ts'
import { NodeUdp } from '../../../src/node/nodeUdp.ts'
import type { ProxyLogin, ProxyRoute } from '../../../src/platform/proxyRoute.ts'
import type { Resolver } from '../../../src/platform/resolver.ts'
import { afterThisTest } from '../tracker/servers.ts'

/** A proxy on 127.0.0.1, until the test ends. It knows one name: `tracker.example`, which is 127.0.0.1. */
export async function realProxy(
  options: Omit<ProxyServerOptions, 'port'>,
): Promise<{ readonly proxy: ProxyServer; readonly port: number }> {
  const real = new NodeResolver()
  const resolver: Resolver = {
    resolve: (host, done) => real.resolve(host === 'tracker.example' ? '127.0.0.1' : host, done),
  }
  const world = { tcp: new NodeTcp(), udp: new NodeUdp(), resolver, address: '127.0.0.1' }
  return new Promise((resolve) => {
    const proxy: ProxyServer = new ProxyServer(world, { ...options, port: 0 }, (port, close) => {
      afterThisTest(() => {
        proxy.dropClients()
        close()
      })
      resolve({ proxy, port })
    })
  })
}

export function routeTo(kind: ProxyRoute['kind'], port: number, changes: Partial<ProxyRoute> = {}): ProxyRoute {
  const login: ProxyLogin | null = null
  return { kind, host: '127.0.0.1', port, login, resolvesNames: true, tellsName: false, ...changes }
}
