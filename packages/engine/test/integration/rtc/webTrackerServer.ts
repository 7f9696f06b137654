import { WebSocket, WebSocketServer } from 'ws'
import { afterThisTest } from '../tracker/servers.ts'

interface Member {
  readonly socket: WebSocket
  readonly peerId: string
}

/** As little of a WebSocket tracker as it takes to introduce peers. Closed after the test. */
export class WebTrackerServer {
  readonly messages: Record<string, unknown>[] = []
  private readonly swarms = new Map<string, Map<string, Member>>()

  private constructor(
    private readonly server: WebSocketServer,
    private readonly interval: number,
  ) {
    server.on('connection', (socket) => {
      socket.on('error', () => {})
      socket.on('message', (data) => this.onMessage(socket, JSON.parse(String(data))))
    })
  }

  /** @param interval seconds after which peers shall announce again. */
  static async start(interval = 120): Promise<WebTrackerServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await new Promise((resolve) => server.once('listening', resolve))
    afterThisTest(() => {
      for (const client of server.clients) client.terminate()
      return new Promise((resolve) => server.close(() => resolve()))
    })
    return new WebTrackerServer(server, interval)
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as { port: number }).port}/announce`
  }

  get connections(): number {
    return this.server.clients.size
  }

  /** The events that were announced, in order. */
  get events(): unknown[] {
    return this.messages.filter(({ event }) => event).map(({ event }) => event)
  }

  private onMessage(socket: WebSocket, message: Record<string, unknown>): void {
    this.messages.push(message)
    const infoHash = String(message.info_hash)
    const peerId = String(message.peer_id)
    const swarm = this.swarms.get(infoHash) ?? new Map<string, Member>()
    this.swarms.set(infoHash, swarm)
    const pass = (to: Member | undefined, introduction: object) => {
      const text = JSON.stringify({ action: 'announce', info_hash: infoHash, peer_id: peerId, ...introduction })
      if (to?.socket.readyState === WebSocket.OPEN) to.socket.send(text)
    }
    if ('answer' in message) {
      const { answer, offer_id } = message
      return pass(swarm.get(String(message.to_peer_id)), { answer, offer_id })
    }
    if (message.event === 'stopped') swarm.delete(peerId)
    else swarm.set(peerId, { socket, peerId })
    const { interval } = this
    socket.send(JSON.stringify({ action: 'announce', info_hash: infoHash, interval, complete: 0, incomplete: 0 }))
    const others = [...swarm.values()].filter((member) => member.peerId !== peerId)
    for (const [i, offer] of ((message.offers as object[]) ?? []).entries()) pass(others[i], offer)
  }
}
