import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { type ProxyRoute, routeKey } from '../platform/proxyRoute.ts'
import type { Connect } from './proxiedHttp.ts'

/** A request's own way to make a connection, beside Node's options; absent: connect to what they name. */
export interface WithConnect {
  readonly connectThrough?: Connect | null
}

type Create = (this: HttpAgent, options: WithConnect, created: Parameters<Connect>[1]) => unknown

/** Keeps connections through proxies for the next request: those of one proxy are never used on behalf of another. */
export class ProxyAgents {
  private readonly agents = new Map<string, HttpAgent | HttpsAgent>()

  constructor(private readonly options: { readonly maxSockets: number; readonly timeout: number }) {}

  async agentFor(
    protocol: string,
    route: ProxyRoute,
  ): Promise<{ module: typeof import('node:http'); agent: HttpAgent | false }> {
    const module = protocol === 'https:' ? await import('node:https') : await import('node:http')
    const key = `${protocol} ${routeKey(route)}`
    let agent = this.agents.get(key)
    if (agent === undefined) {
      const { maxSockets } = this.options
      agent = new module.Agent({ ...this.options, keepAlive: true, maxFreeSockets: maxSockets })
      divert(agent)
      this.agents.set(key, agent)
    }
    return { module: module as unknown as typeof import('node:http'), agent }
  }

  /** Closes the connections that nobody uses. */
  close(): void {
    for (const agent of this.agents.values()) {
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    }
    this.agents.clear()
  }
}

/** Has the agent make a connection the way the request says. */
function divert(agent: HttpAgent): void {
  const diverted = agent as unknown as { createConnection: Create }
  const direct = diverted.createConnection
  diverted.createConnection = function (options, created) {
    const connect = options.connectThrough
    return connect ? connect(options, created) : direct.call(this, options, created)
  }
}
